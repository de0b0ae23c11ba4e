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
export { auditToCsv } from "./csv.ts";
export {
  auditRecordFromJson,
  auditRecordToJson,
  exportAudit,
  importAudit,
  importPersonal,
  MAX_AUDIT_LINE_LENGTH,
  type PersonalLine,
  personalLineToJson,
} from "./json-lines.ts";
export { type AuditChain, type AuditLog, type AuditNote, auditLog } from "./log.ts";
export { hasAcceptedLoss, LOSS_ACTION, notedLoss, recordErasure, recordLoss } from "./loss.ts";
export {
  chainedEvent,
  isAbout,
  PERSONAL_SALT_BYTES,
  type PersonalValue,
  withoutPersonal,
  withPersonal,
} from "./personal.ts";
export {
  type AuditEntry,
  decodeAuditEntry,
  encodeAuditEntry,
  MAX_AUDIT_DETAILS,
  MAX_AUDIT_TEXT_BYTES,
} from "./record.ts";
export {
  type DataFlowReport,
  type ReportedEvent,
  reportAccess,
  reportDataFlows,
  reportParticipant,
  type SiteFlow,
} from "./reports.ts";
export {
  type AuditEvidence,
  openAuditEvidence,
  type SealAuditHeadModules,
  sealAuditHead,
} from "./signed-head.ts";
export {
  type HeadMemory,
  HeadWitness,
  headDetails,
  mayFollow,
  recordedHeadMemory,
  requireHeadPace,
  type WitnessedHead,
  witnessedBy,
} from "./witness.ts";
