import type { Bytes } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { WireError } from "../errors/index.ts";
import { FRAME_KIND, type Frame, writeFrame } from "../wire/index.ts";
import { MAX_SCOPE_BYTES } from "./signed.ts";

/** Header of a MESSAGE frame (kind 13): authenticated by the session, not signed. */
export interface MessageHeader {
  /** Type id of the message. */
  readonly type: number;
  /** 16 bytes. */
  readonly messageId: Bytes;
  /** Message that this one answers. */
  readonly inReplyTo: Bytes | undefined;
  /** Job or round that it belongs to. */
  readonly scope: string | undefined;
  /** SHA-256 of the author's token; 32 zero bytes in a session that only enrols, which has none. */
  readonly tokenRef: Bytes;
}

/** `[type u16, messageId bin16, inReplyTo|nil, scope|nil, tokenRef bin32]`, then the encoded body. */
export function writeMessage(header: MessageHeader, body: Bytes): Bytes {
  const { type, messageId, inReplyTo, scope, tokenRef } = header;
  return writeFrame(FRAME_KIND.message, {
    header: writePositional([type, messageId, inReplyTo, scope, tokenRef]),
    payload: body,
  });
}

/** @throws DecomposerError `ERR_DECODE_REFUSED`, WireError `ERR_FRAME_MALFORMED` when there is a tag */
export function readMessageHeader(frame: Frame): MessageHeader {
  // [W-142] one message has one encoding
  if (frame.tag.byteLength !== 0) throw new WireError("ERR_FRAME_MALFORMED", "a MESSAGE has no tag");
  // [W-42]
  return readPositional(frame.header, (reader) => ({
    type: reader.uint(0xffff, 1),
    messageId: reader.bin(16),
    inReplyTo: reader.nullable(() => reader.bin(16)),
    scope: reader.nullable(() => reader.text(MAX_SCOPE_BYTES)),
    tokenRef: reader.bin(32),
  }));
}
