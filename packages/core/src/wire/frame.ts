import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";

/** Version of the protocol: the third byte of every frame. */
export const PROTOCOL_VERSION = 1;
/** Bytes before the header: magic, version, kind and the three lengths. */
export const PREFIX_BYTES = 12;
/** Largest frame on a connection: 1 MiB of content and 1 KiB of headers. */
export const MAX_FRAME_BYTES: number = (1 << 20) + 1024;
/** Largest handshake frame (a Noise message). */
export const MAX_HANDSHAKE_BYTES = 65_535;
/** Largest header. */
export const MAX_HEADER_BYTES = 4096;
/** Largest tag or signature: RSA of 4096 bits. */
export const MAX_TAG_BYTES = 512;

/** Kinds of frames by their number on the wire. */
export const FRAME_KIND = {
  /** Noise message 1, client to server. */
  handshake1: 1,
  /** Noise message 2, server to client. */
  handshake2: 2,
  /** Noise message 3, client to server. */
  handshake3: 3,
  /** First frame of a session, server to client. */
  welcome: 4,
  /** An encrypted inner frame. */
  session: 5,
  /** A message signed by its author, bound to the session. */
  signed: 6,
  /** A piece of a stream. */
  chunk: 7,
  /** Signature over the messages so far. */
  checkpoint: 8,
  /** The sender's last frame under its key. */
  rekey: 9,
  /** A refusal or the end of the session. */
  error: 10,
  /** Permission to send bytes of a stream. */
  credit: 11,
  /** A session-free signed object. */
  object: 12,
  /** A message that the session authenticates. */
  message: 13,
  /** A piece of a sealed blob, outside SESSION. */
  blob: 14,
} as const;

/** Number of a kind of frame. */
export type FrameKind = (typeof FRAME_KIND)[keyof typeof FRAME_KIND];

const LAST_KIND = FRAME_KIND.blob;

/** One frame taken apart; all fields are views into the bytes it was read from. */
export interface Frame {
  /** What it is. */
  readonly kind: FrameKind;
  /** The first 12 bytes: part of what signatures and AEAD cover. */
  readonly prefix: Bytes;
  /** Positional MessagePack array, or empty. */
  readonly header: Bytes;
  /** AEAD tag or signature, or empty. */
  readonly tag: Bytes;
  /** Content. */
  readonly payload: Bytes;
}

/** Lengths of the parts of a frame, in bytes. */
export interface FrameLengths {
  /** Header, at most 4096. */
  readonly header: number;
  /** Tag or signature, at most 512. */
  readonly tag: number;
  /** Payload. */
  readonly payload: number;
}

/** Writes the 12 bytes that begin a frame into `target`. */
export function writePrefix(target: Bytes, kind: FrameKind, lengths: FrameLengths): void {
  const view = new DataView(target.buffer, target.byteOffset, PREFIX_BYTES);
  view.setUint8(0, 0x50); // P
  view.setUint8(1, 0x48); // H
  view.setUint8(2, PROTOCOL_VERSION);
  view.setUint8(3, kind);
  view.setUint16(4, lengths.header);
  view.setUint16(6, lengths.tag);
  view.setUint32(8, lengths.payload);
}

/** The prefix that a frame with these lengths has. */
export function prefixOf(kind: FrameKind, lengths: FrameLengths): Bytes {
  const prefix = new Uint8Array(PREFIX_BYTES);
  writePrefix(prefix, kind, lengths);
  return prefix;
}

/** The parts of a frame to write. */
export interface FrameParts {
  /** Absent: empty. */
  readonly header?: Bytes;
  /** Absent: empty. */
  readonly tag?: Bytes;
  /** Absent: empty. */
  readonly payload?: Bytes;
}

const EMPTY: Bytes = new Uint8Array(0);

/**
 * One frame in one allocation.
 * @param memory in which the frame is written, at its beginning; absent: new memory
 * @throws RangeError when a part is longer than the format allows: our own fault, never a peer's
 */
export function writeFrame(kind: FrameKind, parts: FrameParts, memory?: Bytes): Bytes {
  const { header = EMPTY, tag = EMPTY, payload = EMPTY } = parts;
  if (header.byteLength > MAX_HEADER_BYTES) throw new RangeError(`header of ${header.byteLength} bytes`);
  if (tag.byteLength > MAX_TAG_BYTES) throw new RangeError(`tag of ${tag.byteLength} bytes`);
  const length = PREFIX_BYTES + header.byteLength + tag.byteLength + payload.byteLength;
  if (length > MAX_FRAME_BYTES) throw new RangeError(`frame of ${length} bytes`);
  const frame = memory?.subarray(0, length) ?? new Uint8Array(length);
  if (frame.byteLength !== length) throw new RangeError(`no room for ${length} bytes`);
  writePrefix(frame, kind, {
    header: header.byteLength,
    tag: tag.byteLength,
    payload: payload.byteLength,
  });
  frame.set(header, PREFIX_BYTES);
  frame.set(tag, PREFIX_BYTES + header.byteLength);
  frame.set(payload, PREFIX_BYTES + header.byteLength + tag.byteLength);
  return frame;
}

/**
 * Takes a frame apart without copying.
 *
 * @param maximumBytes limit of the state that the connection is in
 * @throws WireError `ERR_TOO_LARGE`, `ERR_FRAME_MALFORMED` or `ERR_VERSION_UNSUPPORTED`
 */
export function readFrame(bytes: Bytes, maximumBytes: number = MAX_FRAME_BYTES): Frame {
  // [W-2] before anything else is looked at
  if (bytes.byteLength > maximumBytes) {
    throw new WireError("ERR_TOO_LARGE", `frame of ${bytes.byteLength} bytes, at most ${maximumBytes}`);
  }
  // [W-3]
  if (bytes.byteLength < PREFIX_BYTES) throw malformed(`${bytes.byteLength} bytes are no frame`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  // [W-4]
  if (view.getUint8(0) !== 0x50 || view.getUint8(1) !== 0x48) throw malformed("not a Photinus frame");
  // [W-5]
  if (view.getUint8(2) !== PROTOCOL_VERSION) {
    throw new WireError("ERR_VERSION_UNSUPPORTED", `frame of protocol version ${view.getUint8(2)}`);
  }
  const kind = kindOf(view.getUint8(3));
  const headerEnd = PREFIX_BYTES + view.getUint16(4);
  const tagEnd = headerEnd + view.getUint16(6);
  // [W-7]
  if (headerEnd - PREFIX_BYTES > MAX_HEADER_BYTES) throw malformed("header of more than 4 KiB");
  if (tagEnd - headerEnd > MAX_TAG_BYTES) throw malformed("tag of more than 512 bytes");
  // [W-8] exactly: nothing hides behind a frame
  if (tagEnd + view.getUint32(8) !== bytes.byteLength) throw malformed("lengths do not add up");
  return {
    kind,
    prefix: bytes.subarray(0, PREFIX_BYTES),
    header: bytes.subarray(PREFIX_BYTES, headerEnd),
    tag: bytes.subarray(headerEnd, tagEnd),
    payload: bytes.subarray(tagEnd),
  };
}

function kindOf(value: number): FrameKind {
  // [W-6]
  if (value < 1 || value > LAST_KIND) throw malformed(`unknown kind of frame ${value}`);
  return value as FrameKind; // the kinds are 1 to 14 without a gap
}

function malformed(detail: string): WireError {
  return new WireError("ERR_FRAME_MALFORMED", detail);
}
