import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import { builtInRegistry, decode, readPositional } from "@photinus/core/decomposer";
import { parseCertificate, parseRevocationList } from "@photinus/core/pki";
import { checkManifest } from "@photinus/core/stream";
import { readFrame } from "@photinus/core/wire";
import { nodeCrypto } from "@photinus/node-platform";

const crypto = nodeCrypto();
const registry = builtInRegistry();
/** Payload of the largest message. */
const PAYLOAD_BYTES = 1_048_576;
/** Largest certificate or list that a message of the handshake holds. */
const DER_BYTES = 60_000;

/** Bytes that are made to take memory or time out of all proportion, and who reads them. */
export interface Bomb {
  readonly name: string;
  /** How many bytes a peer sends. */
  readonly sent: number;
  /** Reads them. @throws what refuses them */
  readonly read: () => unknown;
}

/** `head`, then `unit` again and again up to the size of the largest payload. */
function filled(head: readonly number[], unit: readonly number[], size: number = PAYLOAD_BYTES): Bytes {
  const bytes = new Uint8Array(size);
  for (let index = head.length; index < size; index++)
    bytes[index] = unit[(index - head.length) % unit.length] ?? 0;
  bytes.set(head);
  return bytes;
}

/** An array that declares so many values. */
function arrayOf(length: number): number[] {
  return [0xdd, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255];
}

function decoding(name: string, bytes: Bytes): Bomb {
  return { name, sent: bytes.byteLength, read: () => decode(bytes, registry) };
}

/** DER: a tag with a length of three bytes, and its content. */
function der(tag: number, content: Bytes): Bytes {
  const { byteLength } = content;
  return concatBytes(
    Uint8Array.of(tag, 0x83, byteLength >> 16, (byteLength >> 8) & 255, byteLength & 255),
    content,
  );
}

/** SEQUENCE in SEQUENCE, as deep as the bytes allow. */
function nestedSequences(size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let offset = 0; offset + 4 <= size; offset += 4) {
    const rest = size - offset - 4;
    bytes.set([0x30, 0x82, rest >> 8, rest & 255], offset);
  }
  return bytes;
}

/** A value of a registered type around `fields`. */
function registered(id: number, fields: Bytes): Bytes {
  const body = concatBytes(Uint8Array.of(0x92, id), fields);
  const { byteLength } = body;
  return concatBytes(
    Uint8Array.of(
      0xc9,
      byteLength >> 24,
      (byteLength >> 16) & 255,
      (byteLength >> 8) & 255,
      byteLength & 255,
      1,
    ),
    body,
  );
}

/** All of them. */
export function allBombs(): readonly Bomb[] {
  return [
    decoding("a million levels of arrays", filled([], [0x91])),
    decoding("a million levels of maps", filled([], [0x81, 0xa0])),
    decoding("four billion values declared", Uint8Array.of(0xdd, 255, 255, 255, 255)),
    decoding("four billion entries declared", Uint8Array.of(0xdf, 255, 255, 255, 255)),
    decoding("four gigabytes of text declared", Uint8Array.of(0xdb, 255, 255, 255, 255)),
    decoding("four gigabytes of bytes declared", Uint8Array.of(0xc6, 255, 255, 255, 255)),
    decoding("a million values", filled(arrayOf(PAYLOAD_BYTES - 5), [0xc0])),
    decoding("a million empty maps", filled(arrayOf(PAYLOAD_BYTES - 5), [0x80])),
    decoding("a million empty arrays", filled(arrayOf(PAYLOAD_BYTES - 5), [0x90])),
    decoding("as many empty maps as are allowed, and then something", filled(arrayOf(999_999), [0x80])),
    decoding(
      "hundreds of thousands of registered values",
      filled(arrayOf(149_795), [0xd6, 1, 0x92, 99, 0, 0]),
    ),
    decoding(
      "a value of a registered type with a million fields",
      registered(2, filled(arrayOf(900_000), [0xc0], 900_005)),
    ),
    decoding(
      "one text of a megabyte that is not UTF-8 at its end",
      concatBytes(
        Uint8Array.of(0xdb, 0, 15, 255, 0),
        new Uint8Array(1_048_320 - 1).fill(97),
        Uint8Array.of(255),
      ),
    ),
    {
      name: "a header of four billion positions",
      sent: 5,
      read: () => readPositional(Uint8Array.of(0xdd, 255, 255, 255, 255), (reader) => reader.uint()),
    },
    {
      name: "a frame that declares four gigabytes",
      sent: 12,
      read: () => readFrame(Uint8Array.of(0x50, 0x48, 1, 5, 0, 0, 0, 16, 255, 255, 255, 255)),
    },
    certificate("a certificate of nested sequences", nestedSequences(8_000)),
    certificate("a certificate of 8 KiB in sets", der(0x30, filled([], [0x31, 0], 8_000))),
    certificate("a certificate over its limit", der(0x30, new Uint8Array(DER_BYTES))),
    certificate("a certificate that declares two gigabytes", Uint8Array.of(0x30, 0x84, 0x7f, 255, 255, 255)),
    list("a revocation list of nested sequences", nestedSequences(32_000)),
    list("a revocation list of sixteen thousand empty entries", der(0x30, filled([], [0x30, 0], 32_000))),
    list("a revocation list over its limit", der(0x30, new Uint8Array(DER_BYTES))),
    {
      name: "a manifest of terabytes",
      sent: 200,
      read: () =>
        checkManifest(
          {
            streamId: new Uint8Array(16),
            chunkBytes: 65_536,
            totalBytes: 2 ** 42,
            leaves: utf8(""),
            root: new Uint8Array(32),
          },
          Number.MAX_SAFE_INTEGER,
          crypto,
        ),
    },
    {
      name: "a manifest of more leaves than chunks",
      sent: 524_288,
      read: () =>
        checkManifest(
          {
            streamId: new Uint8Array(16),
            chunkBytes: 65_536,
            totalBytes: 65_536,
            leaves: new Uint8Array(524_288),
            root: new Uint8Array(32),
          },
          Number.MAX_SAFE_INTEGER,
          crypto,
        ),
    },
  ];
}

/** The message that takes most memory of all that are allowed: it measures, and shows that measuring works. */
export function heaviestMessage(): Bomb {
  return decoding("the heaviest message that is allowed", filled(arrayOf(999_999), [0x80], 999_999 + 5));
}

function certificate(name: string, bytes: Bytes): Bomb {
  return { name, sent: bytes.byteLength, read: () => parseCertificate(bytes, { crypto }) };
}

function list(name: string, bytes: Bytes): Bomb {
  return { name, sent: bytes.byteLength, read: () => parseRevocationList(bytes, { crypto }) };
}
