export {
  AuditBrokenError,
  type AuditHead,
  type ChainedRecord,
  chainRecord,
  genesisHash,
  hashAuditEntry,
  type VerifyChainOptions,
  verifyChain,
} from "./chain.ts";
export {
  auditRecordFromJson,
  auditRecordToJson,
  exportAudit,
  importAudit,
  MAX_AUDIT_LINE_LENGTH,
} from "./json-lines.ts";
export { type AuditLog, type AuditNote, auditLog } from "./log.ts";
export {
  type AuditEntry,
  decodeAuditEntry,
  encodeAuditEntry,
  MAX_AUDIT_DETAILS,
  MAX_AUDIT_TEXT_BYTES,
} from "./record.ts";
