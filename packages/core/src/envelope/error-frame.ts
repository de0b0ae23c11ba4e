import { type Bytes, utf8 } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { ERRORS, type ErrorCode, errorCodeOfWire, WireError } from "../errors/index.ts";
import { FRAME_KIND, type Frame, writeFrame } from "../wire/index.ts";

/** Longest detail, in bytes of UTF-8. */
export const MAX_DETAIL_BYTES = 512;
/** Longest wait that an ERROR frame may ask for: one hour. */
export const MAX_RETRY_MS = 3_600_000;

/** What an ERROR frame (kind 10) says. */
export interface ErrorNotice {
  /** Code of the registry; `ERR_INTERNAL` for one that has no number on the wire. */
  readonly code: ErrorCode;
  /** The message that is refused; absent when the whole session ends. */
  readonly inReplyTo?: Bytes | undefined;
  /** ms after which another attempt may succeed, at most an hour; a longer time is written as an hour. */
  readonly retryAfterMs?: number | undefined;
  /** For people; at most 512 bytes. Never a secret, never a local cause. */
  readonly detail: string;
}

/** The number of a code on the wire. Local codes stand as what they mean to a peer: a fault of its identity, or ours. */
export function wireCodeOf(code: ErrorCode): number {
  const local: ErrorCode = code.startsWith("ERR_CERTIFICATE_") ? "ERR_AUTH_FAILED" : "ERR_INTERNAL";
  return ERRORS[code].wire ?? ERRORS[local].wire ?? 4500;
}

/** `[code u16, inReplyTo bin16|nil, retryAfterMs u53|nil, detail str]`, no payload. */
export function writeError(notice: ErrorNotice): Bytes {
  const { code, inReplyTo, retryAfterMs, detail } = notice;
  const header = writePositional([
    wireCodeOf(code),
    inReplyTo,
    retryAfterMs === undefined ? undefined : Math.min(MAX_RETRY_MS, Math.ceil(retryAfterMs)),
    truncateUtf8(detail, MAX_DETAIL_BYTES),
  ]);
  return writeFrame(FRAME_KIND.error, { header });
}

/**
 * @throws DecomposerError `ERR_DECODE_REFUSED`, WireError `ERR_FRAME_MALFORMED` when there is a tag or payload
 */
export function readError(frame: Frame): ErrorNotice {
  if (frame.payload.byteLength !== 0 || frame.tag.byteLength !== 0) {
    throw new WireError("ERR_FRAME_MALFORMED", "an ERROR frame is a header");
  }
  const { code, ...notice } = readPositional(frame.header, (reader) => ({
    code: reader.uint(4999, 4000),
    inReplyTo: reader.nullable(() => reader.bin(16)),
    retryAfterMs: reader.nullable(() => reader.uint(MAX_RETRY_MS)),
    detail: printable(reader.text(MAX_DETAIL_BYTES)),
  }));
  // A number of a later version is still a refusal.
  return { code: errorCodeOfWire(code) ?? "ERR_INTERNAL", ...notice };
}

/** A peer's words end up in terminals and logs: what steers those is left out. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}

/** The longest beginning of `text` that has at most `maximumBytes` bytes and ends between characters. */
export function truncateUtf8(text: string, maximumBytes: number): string {
  const wellFormed = text.replace(/\p{Surrogate}/gu, "\ufffd");
  if (utf8(wellFormed).byteLength <= maximumBytes) return wellFormed;
  let shortened = "";
  let length = 0;
  for (const character of wellFormed) {
    length += utf8(character).byteLength;
    if (length > maximumBytes) break;
    shortened += character;
  }
  return shortened;
}
