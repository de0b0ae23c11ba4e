import { type Bytes, concatBytes, equalBytes } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { EnvelopeError, WireError } from "../errors/index.ts";
import type { CryptoProvider, SigningKey, VerifyingKey } from "../platform/index.ts";
import { FRAME_KIND, type Frame, PROTOCOL_VERSION } from "../wire/index.ts";
import { isSameRoute, type Route, readRoute } from "./route.ts";
import { isSignedBy, signFrame } from "./signature.ts";

/** What a CHECKPOINT says: which messages its author has sent in a session so far. */
export interface Checkpoint extends Route {
  /** MESSAGE frames since the session began. */
  readonly count: number;
  /** Running hash over them: 32 bytes. */
  readonly hash: Bytes;
}

/** One step of the running hash: SHA-256(hash so far ‖ inner MESSAGE frame). It begins with the id of the session. */
export async function runningHash(hash: Bytes, frame: Bytes, crypto: CryptoProvider): Promise<Bytes> {
  return await crypto.sha256(concatBytes(hash, frame));
}

/**
 * CHECKPOINT (kind 8): header `[1, alg, project, from, to, sid bin32, direction, count, hash bin32]`, the signature over
 * S("checkpoint", prefix ‖ header), no payload.
 */
export async function sealCheckpoint(
  { project, from, to, sid, direction, count, hash }: Checkpoint,
  { key, crypto }: { readonly key: SigningKey; readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const header = writePositional([
    PROTOCOL_VERSION,
    key.algorithm,
    project,
    from,
    to,
    sid,
    direction,
    count,
    hash,
  ]);
  const payload = new Uint8Array(0);
  return await signFrame({ kind: FRAME_KIND.checkpoint, label: "checkpoint", header, payload }, key, crypto);
}

/**
 * Checks a CHECKPOINT frame against what came, cheap first.
 * @param expected what the receiver itself has counted and hashed
 * @throws DecomposerError `ERR_DECODE_REFUSED`, WireError `ERR_FRAME_MALFORMED`, EnvelopeError
 *   `ERR_ENVELOPE_WRONG_RECIPIENT`, `ERR_DIGEST_MISMATCH`, `ERR_ENVELOPE_SIGNATURE_INVALID`
 */
export async function openCheckpoint(
  frame: Frame,
  expected: Checkpoint,
  { verifyingKey, crypto }: { readonly verifyingKey: VerifyingKey; readonly crypto: CryptoProvider },
): Promise<void> {
  // [W-86]
  if (frame.payload.byteLength > 0) throw new WireError("ERR_FRAME_MALFORMED", "CHECKPOINT has no payload");
  const { algorithm, ...checkpoint } = readCheckpoint(frame.header);
  // [W-87]
  if (!isSameRoute(checkpoint, expected)) {
    throw new EnvelopeError("ERR_ENVELOPE_WRONG_RECIPIENT", "CHECKPOINT is of another session or direction");
  }
  // [W-88]
  if (checkpoint.count !== expected.count || !equalBytes(checkpoint.hash, expected.hash)) {
    throw new EnvelopeError("ERR_DIGEST_MISMATCH", "CHECKPOINT is over other messages than those that came");
  }
  // [W-89]
  if (!(await isSignedBy(verifyingKey, { label: "checkpoint", algorithm, frame }, crypto))) {
    throw new EnvelopeError("ERR_ENVELOPE_SIGNATURE_INVALID", `CHECKPOINT is not signed by ${expected.from}`);
  }
}

function readCheckpoint(header: Bytes): Checkpoint & { readonly algorithm: number } {
  // [W-86]
  return readPositional(header, (reader) => {
    reader.uint(PROTOCOL_VERSION, PROTOCOL_VERSION);
    return {
      algorithm: reader.uint(3, 1),
      ...readRoute(reader),
      count: reader.uint(Number.MAX_SAFE_INTEGER, 1),
      hash: reader.bin(32),
    };
  });
}
