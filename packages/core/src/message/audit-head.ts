import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { defineMessage, parseAs } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { bytesOf, bytesUpTo, integerIn } from "./fields.ts";

/** Payload of an OBJECT by which a participant says where its audit chain stands. */
export interface SignedAuditHead {
  /** Number of records: 1 or more. */
  readonly count: number;
  /** Hash of the last one: 32 bytes. */
  readonly hash: Bytes;
}

const SignedAuditHeadSchema = v.strictObject({
  count: integerIn(1, Number.MAX_SAFE_INTEGER),
  hash: bytesOf(32),
});

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseSignedAuditHead(value: unknown): SignedAuditHead {
  return parseAs<SignedAuditHead>("audit-head", SignedAuditHeadSchema, value);
}

/** Most bytes of a signed head: header, signature by RSA-3072, payload. */
export const MAX_AUDIT_HEAD_BYTES = 768;

/** Body of {@link auditBehind}. */
export interface AuditBehind {
  /** The OBJECT by which the receiver itself said how far its chain was. At most {@link MAX_AUDIT_HEAD_BYTES}. */
  readonly evidence: Bytes;
}

/** The server shows a site what the site has signed earlier: its records of now do not reach that, or differ from it. */
export const auditBehind: MessageDefinition<AuditBehind> = defineMessage(
  { type: 104, name: "audit-behind", signed: false, from: ["server"] },
  v.strictObject({ evidence: bytesUpTo(MAX_AUDIT_HEAD_BYTES) }),
);
