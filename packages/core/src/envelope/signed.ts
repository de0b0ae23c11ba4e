import type { Bytes } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { CryptoProvider, SigningKey, VerifyingKey } from "../platform/index.ts";
import { FRAME_KIND, type Frame, PROTOCOL_VERSION } from "../wire/index.ts";
import {
  describePayload,
  type PayloadDescriptor,
  payloadPositions,
  readPayloadPositions,
  requirePayload,
} from "./payload.ts";
import { isSameRoute, type Route, readRoute } from "./route.ts";
import type { SeenMessages } from "./seen-messages.ts";
import { isSignedBy, signFrame } from "./signature.ts";
import type { TokenBook } from "./token-book.ts";

/** A session message may be this much older or newer than the receiver's clock, which follows the server's. */
export const MESSAGE_SKEW_MS = 60_000;
/** A signed message may be used this long at most. */
export const MAX_MESSAGE_LIFETIME_MS = 600_000;
/** How long signed messages of ours are valid. */
const MESSAGE_LIFETIME_MS = 120_000;

/** Longest scope, in bytes of UTF-8. */
export const MAX_SCOPE_BYTES = 128;

/** Header of a SIGNED frame (kind 6), protocol section 3. */
export interface SignedHeader extends Route {
  /** Algorithm of the signature: that of the author's certificate key. */
  readonly algorithm: number;
  /** ms since 1970 on the server's clock. */
  readonly issuedAt: number;
  /** ms since 1970 on the server's clock. */
  readonly expiresAt: number;
  /** SHA-256 of the author's token. */
  readonly tokenRef: Bytes;
  /** Type id of the message. */
  readonly type: number;
  /** 16 bytes. */
  readonly messageId: Bytes;
  /** Message that this one answers. */
  readonly inReplyTo: Bytes | undefined;
  /** Job or round that it belongs to. */
  readonly scope: string | undefined;
  /** Codec, length and digest of the payload. */
  readonly payload: PayloadDescriptor;
}

/** What {@link sealSigned} seals. */
export interface SignedMessage
  extends Pick<
    SignedHeader,
    | "project"
    | "from"
    | "to"
    | "sid"
    | "direction"
    | "issuedAt"
    | "tokenRef"
    | "type"
    | "messageId"
    | "inReplyTo"
    | "scope"
  > {
  /** Encoded body. */
  readonly body: Bytes;
}

/** One signed frame: one hash of the body, one signature. */
export async function sealSigned(
  message: SignedMessage,
  modules: { readonly key: SigningKey; readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const { body, ...fields } = message;
  const header = writePositional([
    PROTOCOL_VERSION,
    modules.key.algorithm,
    fields.project,
    fields.from,
    fields.to,
    fields.sid,
    fields.direction,
    fields.issuedAt,
    fields.issuedAt + MESSAGE_LIFETIME_MS,
    fields.tokenRef,
    fields.type,
    fields.messageId,
    fields.inReplyTo,
    fields.scope,
    payloadPositions(await describePayload(body, modules.crypto)),
  ]);
  const frame = { kind: FRAME_KIND.signed, label: "message", header, payload: body } as const;
  return await signFrame(frame, modules.key, modules.crypto);
}

/** @throws DecomposerError `ERR_DECODE_REFUSED` unless the header is exactly that of version 1 */
export function readSignedHeader(header: Bytes): SignedHeader {
  // [W-42]
  return readPositional(header, (reader) => {
    reader.uint(PROTOCOL_VERSION, PROTOCOL_VERSION);
    return {
      algorithm: reader.uint(3, 1),
      ...readRoute(reader),
      issuedAt: reader.uint(),
      expiresAt: reader.uint(),
      tokenRef: reader.bin(32),
      type: reader.uint(0xffff, 1),
      messageId: reader.bin(16),
      inReplyTo: reader.nullable(() => reader.bin(16)),
      scope: reader.nullable(() => reader.text(MAX_SCOPE_BYTES)),
      payload: readPayloadPositions(reader),
    };
  });
}

/** What a receiver knows of the session when it opens a SIGNED frame; the author is the peer, by its certificate. */
export interface SignedExpectations extends Route {
  /** The peer's tokens. */
  readonly tokens: TokenBook;
  /** Messages that were handled in this session. */
  readonly seen: SeenMessages;
  /** The peer's key, from its verified certificate. */
  readonly verifyingKey: VerifyingKey;
  /** Now on the server's clock, ms since 1970. */
  readonly nowMs: number;
}

/**
 * Checks a SIGNED frame in the receive order of section 6, cheap first, up to the digest of its payload.
 * Nothing is recorded here: the caller records the message id when it hands the message to its handler.
 *
 * @param header of `frame`, as {@link readSignedHeader} read it
 * @throws EnvelopeError `ERR_ENVELOPE_WRONG_RECIPIENT`, `ERR_TOKEN_UNKNOWN`,
 *   `ERR_TOKEN_EXPIRED`, `ERR_ENVELOPE_STALE`, `ERR_ENVELOPE_REPLAYED`, `ERR_ENVELOPE_SIGNATURE_INVALID`,
 *   `ERR_DIGEST_MISMATCH`
 */
export async function openSigned(
  frame: Frame,
  header: SignedHeader,
  { crypto, ...expected }: SignedExpectations & { readonly crypto: CryptoProvider },
): Promise<void> {
  requireRoute(header, expected);
  expected.tokens.require(header.tokenRef, expected.nowMs); // [W-44], [W-45]
  requireTimes(header, expected.nowMs);
  // [W-47]
  if (expected.seen.has(header.messageId)) {
    throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "a message with this id was handled before");
  }
  // [W-48]
  const claim = { label: "message", algorithm: header.algorithm, frame } as const;
  if (!(await isSignedBy(expected.verifyingKey, claim, crypto))) {
    throw new EnvelopeError("ERR_ENVELOPE_SIGNATURE_INVALID", `not signed by ${expected.from}`);
  }
  await requirePayload(header.payload, frame.payload, crypto);
}

function requireRoute(header: SignedHeader, expected: SignedExpectations): void {
  // [W-43]
  if (!isSameRoute(header, expected)) {
    throw new EnvelopeError(
      "ERR_ENVELOPE_WRONG_RECIPIENT",
      `expected a message of ${expected.from} to ${expected.to} in this session and direction`,
    );
  }
}

function requireTimes({ issuedAt, expiresAt }: SignedHeader, nowMs: number): void {
  // [W-46]
  const isCurrent =
    Math.abs(nowMs - issuedAt) <= MESSAGE_SKEW_MS &&
    expiresAt > nowMs &&
    expiresAt - issuedAt <= MAX_MESSAGE_LIFETIME_MS;
  if (!isCurrent) {
    throw new EnvelopeError("ERR_ENVELOPE_STALE", `issued ${Math.round((nowMs - issuedAt) / 1000)} s ago`);
  }
}
