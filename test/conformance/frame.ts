import { demand } from "./refused.ts";

/** A frame in its parts. */
export interface Frame {
  readonly kind: number;
  readonly prefix: Buffer;
  readonly header: Buffer;
  readonly tag: Buffer;
  readonly payload: Buffer;
}

const MALFORMED = 4000;

/** Takes a frame apart: conditions [W-2] to [W-8]. */
export function readFrame(bytes: Buffer): Frame {
  demand(bytes.length <= 1_049_600, 4004, "a frame that is too large"); // [W-2]
  demand(bytes.length >= 12, MALFORMED, "less than a prefix"); // [W-3]
  demand(bytes.readUInt16BE(0) === 0x5048, MALFORMED, "another magic"); // [W-4]
  demand(bytes.readUInt8(2) === 1, 4001, "another version"); // [W-5]
  const kind = bytes.readUInt8(3);
  demand(kind >= 1 && kind <= 14, MALFORMED, "no such kind"); // [W-6]
  const [headerLength, tagLength, payloadLength] = [
    bytes.readUInt16BE(4),
    bytes.readUInt16BE(6),
    bytes.readUInt32BE(8),
  ];
  demand(headerLength <= 4096 && tagLength <= 512, MALFORMED, "header or tag too long"); // [W-7]
  const total = 12 + headerLength + tagLength + payloadLength;
  demand(total === bytes.length, MALFORMED, "lengths that do not add up"); // [W-8]
  const tagAt = 12 + headerLength;
  return {
    kind,
    prefix: bytes.subarray(0, 12),
    header: bytes.subarray(12, tagAt),
    tag: bytes.subarray(tagAt, tagAt + tagLength),
    payload: bytes.subarray(tagAt + tagLength),
  };
}

const EMPTY = Buffer.alloc(0);

/** The first 12 bytes of a frame. */
export function prefixOf(kind: number, header: number, tag: number, payload: number): Buffer {
  const prefix = Buffer.alloc(12);
  prefix.write("PH", "latin1");
  prefix.writeUInt8(1, 2);
  prefix.writeUInt8(kind, 3);
  prefix.writeUInt16BE(header, 4);
  prefix.writeUInt16BE(tag, 6);
  prefix.writeUInt32BE(payload, 8);
  return prefix;
}

/** The bytes of a frame. */
export function writeFrame(
  kind: number,
  { header = EMPTY, tag = EMPTY, payload = EMPTY }: { header?: Buffer; tag?: Buffer; payload?: Buffer },
): Buffer {
  return Buffer.concat([prefixOf(kind, header.length, tag.length, payload.length), header, tag, payload]);
}

/** S(context, content). */
export function labelled(context: string, ...content: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from("photinus/1\0"),
    Buffer.of(context.length),
    Buffer.from(context),
    ...content,
  ]);
}

/** Prologue of the handshake of a project. */
export function prologueOf(project: string): Buffer {
  const name = Buffer.from(project);
  return Buffer.concat([Buffer.from("photinus/1\0"), Buffer.of(name.length), name]);
}
