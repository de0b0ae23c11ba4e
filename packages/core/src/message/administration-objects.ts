import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { isMachineName, isRole, type Role } from "../pki/index.ts";
import { parseAs } from "./define.ts";
import { bytesOf, integerIn, plainName, textOf } from "./fields.ts";

// Payloads of the OBJECTs by which people administer a project. Each is one command; its signer answers for it.

/** Longest reason that people give, in characters. */
export const MAX_REASON_LENGTH = 200;

/** Most participants that one invite admits. */
export const MAX_INVITE_USES = 10_000;

/** Payload of an invite. */
export interface InviteOrder {
  /** SHA-256 of the code in the link: the server never sees the code before it is used. */
  readonly codeDigest: Bytes;
  /** Organization of who joins. */
  readonly org: string;
  /** Study whose site it becomes; absent: none. */
  readonly study?: string;
  /** New participants are named `<prefix>-<number>`; absent when the invite is for one name. */
  readonly prefix?: string;
  /** The one participant whom it admits: a new one, or a further device of one that is there. */
  readonly name?: string;
  /** How many may join. */
  readonly uses: number;
  /** Until when, ms since 1970. */
  readonly expiresAtMs: number;
}

const reason: v.GenericSchema<unknown, string> = textOf(1, MAX_REASON_LENGTH);
const role = v.custom<Role>((value) => typeof value === "string" && isRole(value), "a role");
const timeMs = integerIn(0, Number.MAX_SAFE_INTEGER);
const siteName: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.maxLength(63),
  v.check((text) => isMachineName(text), "the name of a site"),
);

const InviteOrderSchema = v.pipe(
  v.strictObject({
    codeDigest: bytesOf(32),
    org: plainName,
    study: v.exactOptional(plainName),
    prefix: v.exactOptional(v.pipe(plainName, v.maxLength(48))),
    name: v.exactOptional(siteName),
    uses: integerIn(1, MAX_INVITE_USES),
    expiresAtMs: timeMs,
  }),
  v.check(({ prefix, name }) => (prefix === undefined) !== (name === undefined), "a prefix or a name"),
  v.check(({ name, uses }) => name === undefined || uses === 1, "one use for one name"),
);

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseInviteOrder(value: unknown): InviteOrder {
  return parseAs<InviteOrder>("invite", InviteOrderSchema, value);
}

/** Payload of the end of an invite. */
export interface InviteWithdrawal {
  /** SHA-256 of the code. */
  readonly codeDigest: Bytes;
  /** Why, for people. */
  readonly reason: string;
}

const InviteWithdrawalSchema = v.strictObject({ codeDigest: bytesOf(32), reason });

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseInviteWithdrawal(value: unknown): InviteWithdrawal {
  return parseAs<InviteWithdrawal>("invite-withdrawal", InviteWithdrawalSchema, value);
}

/** Payload of a decision about a request for a certificate. */
export interface RequestDecision {
  /** SHA-256 of the key that asks: what both sides have compared. */
  readonly keyDigest: Bytes;
  /** What becomes of it. */
  readonly verdict: "approve" | "deny";
  /** Name that the site gets, whatever it asked for. */
  readonly name: string;
  /** Organization that it belongs to. */
  readonly org: string;
  /** Why, for people. */
  readonly reason: string;
}

const RequestDecisionSchema = v.strictObject({
  keyDigest: bytesOf(32),
  verdict: v.picklist(["approve", "deny"]),
  name: siteName,
  org: plainName,
  reason,
});

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseRequestDecision(value: unknown): RequestDecision {
  return parseAs<RequestDecision>("request-decision", RequestDecisionSchema, value);
}

/** Payload of a suspension, of its end, and of a revocation. */
export interface CertificateOrder {
  /** SHA-256 of the certificate. */
  readonly leaf: Bytes;
  /** Name of its holder, for people as what follows: what counts is {@link leaf}. */
  readonly name: string;
  /** Organization of the holder. */
  readonly org: string;
  /** Role of the holder. */
  readonly role: Role;
  /** Why, for people. */
  readonly reason: string;
}

const CertificateOrderSchema = v.strictObject({
  leaf: bytesOf(32),
  name: textOf(1, 128),
  org: plainName,
  role,
  reason,
});

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseCertificateOrder(value: unknown): CertificateOrder {
  return parseAs<CertificateOrder>("certificate-order", CertificateOrderSchema, value);
}
