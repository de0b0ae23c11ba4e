import type { KeyObject } from "node:crypto";
import type { Holder } from "./certificate.ts";
import { type Fields, readFields } from "./fields.ts";
import { type Frame, labelled, prefixOf } from "./frame.ts";
import { type Plain, writePlain } from "./message-pack.ts";
import { algorithmOf, isSigned, sha256, signBy } from "./primitives.ts";
import { demand } from "./refused.ts";

/** What a session knows of its two sides. */
export interface Sides {
  readonly sid: Buffer;
  readonly project: string;
  /** ms since 1970 on the server's clock. */
  readonly nowMs: number;
}

/** A verified token. */
export interface Token {
  readonly ref: Buffer;
  readonly expiresAt: number;
}

/** Verifies a token of `holder`: [W-61] to [W-63]. */
export function verifyToken(
  bytes: Buffer,
  holder: Holder,
  server: Holder,
  { sid, project, nowMs }: Sides,
): Token {
  const UNKNOWN = 4011;
  const [array, signature] = readFields(bytes, (outer) => [outer.bytes(), outer.bytes()] as const);
  const token = readFields(array, (at) => ({
    version: at.integer(1, 1),
    algorithm: at.integer(3, 1),
    keyId: at.bytes(32),
    id: at.bytes(16),
    names: [at.text(), at.text(), at.text(), at.text()],
    confirmation: at.bytes(32),
    sid: at.bytes(32),
    scopes: at.list((scopes) => scopes.text()),
    issuedAt: at.integer(),
    notBefore: at.integer(),
    expiresAt: at.integer(),
    attestation: at.nullable((digest) => digest.bytes(32)),
  }));
  demand(
    isSigned(server.key, token.algorithm, signature, labelled("token", array)),
    UNKNOWN,
    "not the server's",
  );
  const expected = [project, holder.name, holder.role, holder.org];
  const isHolders = expected.every((name, index) => token.names[index] === name);
  demand(isHolders && token.confirmation.equals(holder.leafDigest), UNKNOWN, "somebody else's");
  demand(token.sid.equals(sid) && token.keyId.equals(server.keyId), UNKNOWN, "of another session");
  demand(token.scopes.includes("full"), UNKNOWN, "for something else");
  demand(token.notBefore <= nowMs && nowMs < token.expiresAt, 4010, "not valid now");
  return { ref: sha256(array), expiresAt: token.expiresAt };
}

interface Payload {
  readonly codec: number;
  readonly compression: number;
  readonly length: number;
  readonly rawLength: number;
  readonly digest: Buffer;
  readonly chunkSize: number;
}

function readPayload(header: Fields): Payload {
  const at = header.inner();
  const payload = {
    codec: at.integer(),
    compression: at.integer(),
    length: at.integer(),
    rawLength: at.integer(),
    digest: at.bytes(32),
    chunkSize: at.integer(),
  };
  at.end();
  return payload;
}

/** [W-49], [W-50] */
function demandPayload(payload: Payload, bytes: Buffer): void {
  const { codec, compression, length, rawLength, digest, chunkSize } = payload;
  const isWhole = codec === 1 && compression === 0 && chunkSize === 0;
  demand(isWhole && length === bytes.length && rawLength === length, 4018, "another payload");
  demand(digest.equals(sha256(bytes)), 4018, "another digest");
}

const describePayload = (body: Buffer): Plain => [1, 0, body.length, body.length, sha256(body), 0];

/** Header of a message, SIGNED or MESSAGE. */
export interface MessageHeader {
  readonly type: number;
  readonly messageId: Buffer;
  readonly inReplyTo: Buffer | undefined;
  readonly scope: string | undefined;
  readonly tokenRef: Buffer;
}

/** Header of a MESSAGE frame. */
export function readMessage({ header }: Frame): MessageHeader {
  return readFields(header, (at) => ({
    type: at.integer(0xffff),
    messageId: at.bytes(16),
    inReplyTo: at.nullable((id) => id.bytes(16)),
    scope: at.nullable((scope) => scope.text()),
    tokenRef: at.bytes(32),
  }));
}

/** Who sends a signed message to whom. */
export interface Way extends Sides {
  readonly from: string;
  readonly to: string;
  /** 0: client to server. */
  readonly direction: 0 | 1;
}

/** Verifies a SIGNED frame in the order of the page: [W-42] to [W-50]. */
export function openSigned(frame: Frame, way: Way, author: Holder, tokens: readonly Token[]): MessageHeader {
  const { algorithm, payload, ...header } = readFields(frame.header, (at) => ({
    version: at.integer(1, 1),
    algorithm: at.integer(3, 1),
    project: at.text(),
    from: at.text(),
    to: at.text(),
    sid: at.bytes(32),
    direction: at.integer(1),
    issuedAt: at.integer(),
    expiresAt: at.integer(),
    tokenRef: at.bytes(32),
    type: at.integer(0xffff),
    messageId: at.bytes(16),
    inReplyTo: at.nullable((id) => id.bytes(16)),
    scope: at.nullable((scope) => scope.text()),
    payload: readPayload(at),
  }));
  const isOurs = header.project === way.project && header.from === way.from && header.to === way.to;
  demand(
    isOurs && header.sid.equals(way.sid) && header.direction === way.direction,
    4016,
    "for somebody else",
  ); // [W-43]
  const token = tokens.find(({ ref }) => ref.equals(header.tokenRef));
  demand(token !== undefined, 4011, "an unknown token"); // [W-44]
  demand(way.nowMs < token.expiresAt, 4010, "an expired token"); // [W-45]
  const life = header.expiresAt - header.issuedAt;
  const isFresh = Math.abs(header.issuedAt - way.nowMs) <= 60_000 && header.expiresAt > way.nowMs;
  demand(isFresh && life <= 600_000, 4015, "too old, or of the future"); // [W-46]
  const signed = labelled("message", frame.prefix, frame.header);
  demand(isSigned(author.key, algorithm, frame.tag, signed), 4017, "not signed by its author"); // [W-48]
  demandPayload(payload, frame.payload);
  return header;
}

/** The running hash over MESSAGE frames of one direction: it begins with the id of the session. */
export const runningHash = (sid: Buffer, messages: readonly Buffer[]): Buffer =>
  messages.reduce((hash, message) => sha256(hash, message), sid);

/** Verifies a CHECKPOINT frame over `count` messages: [W-86] to [W-89]. */
export function openCheckpoint(
  frame: Frame,
  way: Omit<Way, "nowMs">,
  expected: { readonly count: number; readonly hash: Buffer; readonly author: Holder },
): void {
  demand(frame.payload.length === 0, 4000, "CHECKPOINT has no payload"); // [W-86]
  const { algorithm, ...checkpoint } = readFields(frame.header, (at) => ({
    version: at.integer(1, 1),
    algorithm: at.integer(3, 1),
    project: at.text(),
    from: at.text(),
    to: at.text(),
    sid: at.bytes(32),
    direction: at.integer(1),
    count: at.integer(undefined, 1),
    hash: at.bytes(32),
  }));
  const isOurs =
    checkpoint.project === way.project && checkpoint.from === way.from && checkpoint.to === way.to;
  const isSession = checkpoint.sid.equals(way.sid) && checkpoint.direction === way.direction;
  demand(isOurs && isSession, 4016, "of another session"); // [W-87]
  const isThese = checkpoint.count === expected.count && checkpoint.hash.equals(expected.hash);
  demand(isThese, 4018, "over other messages"); // [W-88]
  const signed = labelled("checkpoint", frame.prefix, frame.header);
  demand(isSigned(expected.author.key, algorithm, frame.tag, signed), 4017, "not signed by its author"); // [W-89]
}

/** What is sent. */
export interface Outgoing {
  readonly type: number;
  readonly messageId: Buffer;
  readonly body: Buffer;
  readonly scope?: string;
}

/** Who signs. */
export interface Author {
  readonly key: KeyObject;
  readonly tokenRef: Buffer;
}

/** A SIGNED frame. */
export function sealSigned(message: Outgoing, way: Way, { key, tokenRef }: Author): Buffer {
  const algorithm = algorithmOf(key) ?? 0;
  const header = writePlain([
    1,
    algorithm,
    way.project,
    way.from,
    way.to,
    way.sid,
    way.direction,
    way.nowMs,
    way.nowMs + 120_000,
    tokenRef,
    message.type,
    message.messageId,
    null,
    message.scope ?? null,
    describePayload(message.body),
  ]);
  // The lengths are part of what is signed: those of r ‖ s are known before.
  const prefix = prefixOf(6, header.length, algorithm === 1 ? 64 : 96, message.body.length);
  const tag = signBy(key, labelled("message", prefix, header));
  return Buffer.concat([prefix, header, tag, message.body]);
}

/** A MESSAGE frame. */
export function writeMessage({ type, messageId, body, scope }: Outgoing, tokenRef: Buffer): Buffer {
  const header = writePlain([type, messageId, null, scope ?? null, tokenRef]);
  return Buffer.concat([prefixOf(13, header.length, 0, body.length), header, body]);
}

/** What a receiver of objects demands. */
export interface ObjectRule {
  readonly objectType: number;
  readonly role: string;
  readonly maximumLifetimeMs: number;
  /** Objects of this type have a counter; others have none. Default false. */
  readonly counted?: boolean;
}

/** Verifies an OBJECT frame: [W-42], [W-51] to [W-58]. */
export function openObject(
  frame: Frame,
  at: { readonly project: string; readonly self: string; readonly nowMs: number },
  { signers, rule }: { readonly signers: readonly Holder[]; readonly rule: ObjectRule },
): { readonly objectId: Buffer; readonly signer: Holder } {
  const object = readFields(frame.header, (header) => ({
    version: header.integer(1, 1),
    algorithm: header.integer(3, 1),
    objectType: header.integer(0xffff, 1),
    project: header.text(),
    signer: header.bytes(32),
    audience: header.text(),
    id: header.bytes(16),
    counter: header.nullable((counter) => counter.integer()),
    issuedAt: header.integer(),
    expiresAt: header.integer(),
    scope: header.nullable((scope) => scope.text()),
    payload: readPayload(header),
  }));
  demand(object.project === at.project, 4016, "of another project"); // [W-51]
  demand(object.audience === at.self || object.audience === "all", 4016, "for somebody else"); // [W-51]
  demand(object.objectType === rule.objectType, 4020, "of a type that is not expected"); // [W-52]
  const life = object.expiresAt - object.issuedAt;
  const isAlive = object.issuedAt <= at.nowMs + 60_000 && at.nowMs < object.expiresAt;
  demand(isAlive && life <= rule.maximumLifetimeMs, 4015, "not now"); // [W-53]
  const signer = signers.find(({ leafDigest }) => leafDigest.equals(object.signer));
  demand(signer !== undefined, 4028, "by somebody unknown"); // [W-54]
  demand(signer.role === rule.role, 4020, "by a role that may not"); // [W-55]
  demand((object.counter !== undefined) === (rule.counted ?? false), 4015, "counted, or not"); // [W-57]
  const signed = labelled("object", frame.prefix, frame.header);
  demand(isSigned(signer.key, object.algorithm, frame.tag, signed), 4017, "not signed by its signer"); // [W-58]
  demandPayload(object.payload, frame.payload);
  return { objectId: object.id, signer };
}

/** What an ERROR frame says. */
export interface Notice {
  readonly code: number;
  readonly inReplyTo: Buffer | undefined;
  readonly retryAfterMs: number | undefined;
  readonly detail: string;
}

/** Reads an ERROR frame. */
export function readError({ header, payload, tag }: Frame): Notice {
  demand(payload.length + tag.length === 0, 4000, "ERROR is a header");
  return readFields(header, (at) => ({
    code: at.integer(4999, 4000),
    inReplyTo: at.nullable((id) => id.bytes(16)),
    retryAfterMs: at.nullable((ms) => ms.integer(3_600_000)),
    detail: at.text(),
  }));
}
