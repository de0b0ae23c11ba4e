import { readFields } from "./fields.ts";
import { type Frame, labelled } from "./frame.ts";
import { nonce } from "./noise.ts";
import { open, sha256 } from "./primitives.ts";
import { demand } from "./refused.ts";

/** What a manifest says. */
export interface Manifest {
  readonly streamId: Buffer;
  readonly chunkBytes: number;
  readonly totalBytes: number;
  readonly leaves: Buffer;
  readonly root: Buffer;
}

const REFUSED = 4029;

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The content address of a stream: the digest of its sizes and leaves. */
export function rootOf(chunkBytes: number, totalBytes: number, leaves: Buffer): Buffer {
  const sizes = Buffer.alloc(16);
  sizes.writeUInt32BE(chunkBytes, 0);
  sizes.writeUInt32BE(leaves.length / 32, 4);
  sizes.writeBigUInt64BE(BigInt(totalBytes), 8);
  return sha256(labelled("stream", sizes, leaves));
}

/** Checks a manifest before a chunk of it is taken: [W-71] to [W-73]. */
export function checkManifest({ streamId, chunkBytes, totalBytes, leaves, root }: Manifest): void {
  demand(chunkBytes >= 65_536 && chunkBytes <= 1_048_576, REFUSED, "chunks of another size");
  const count = Math.ceil(totalBytes / chunkBytes);
  demand(totalBytes >= 1 && count <= 16_384, REFUSED, "a stream of another size");
  demand(
    streamId.length === 16 && leaves.length === 32 * count,
    REFUSED,
    "no id, or not a leaf for each chunk",
  );
  demand(root.equals(rootOf(chunkBytes, totalBytes, leaves)), 4018, "another root");
}

/** The manifest of a content. */
export function manifestOf(streamId: Buffer, content: Buffer, chunkBytes: number): Manifest {
  const count = Math.ceil(content.length / chunkBytes);
  const chunks = Array.from({ length: count }, (_, index) =>
    content.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const leaves = Buffer.concat(chunks.map((chunk) => sha256(chunk)));
  const root = rootOf(chunkBytes, content.length, leaves);
  return { streamId, chunkBytes, totalBytes: content.length, leaves, root };
}

/** A piece as CHUNK and BLOB frames carry it: [W-74]. */
export interface Piece {
  /** Stream id of CHUNK, root of BLOB. */
  readonly of: Buffer;
  readonly index: number;
  readonly data: Buffer;
}

/** Reads a CHUNK (16) or BLOB (32) frame. */
export function readPiece(frame: Frame, nameLength: 16 | 32): Piece {
  const { length, ...piece } = readFields(frame.header, (at) => ({
    of: at.bytes(nameLength),
    index: at.integer(0xffff_ffff),
    length: at.integer(0xffff_ffff),
  }));
  demand(frame.payload.length === length && frame.tag.length === 0, REFUSED, "not what the header says");
  return { ...piece, data: frame.payload };
}

/** Reads a CREDIT frame. */
export function readCredit({ header, payload, tag }: Frame): {
  readonly streamId: Buffer;
  readonly bytes: number;
} {
  demand(payload.length + tag.length === 0, REFUSED, "CREDIT is a header");
  return readFields(header, (at) => ({ streamId: at.bytes(16), bytes: at.integer(undefined, 1) }));
}

/** Opens a sealed blob: [W-81] to [W-83]. */
export function openBlob(
  project: string,
  key: Buffer,
  blob: Manifest,
  ciphertexts: readonly Buffer[],
): Buffer {
  const { chunkBytes, totalBytes, leaves, root, streamId: blobId } = blob;
  const count = Math.ceil(totalBytes / chunkBytes);
  demand(root.equals(rootOf(chunkBytes + 16, totalBytes + 16 * count, leaves)), 4018, "another root");
  const chunks = ciphertexts.map((sealed, index) => {
    demand(sha256(sealed).equals(leaves.subarray(32 * index, 32 * index + 32)), 4018, "another chunk");
    const final = Buffer.of(index === count - 1 ? 1 : 0);
    const aad = Buffer.concat([Buffer.from(project), blobId, u32(index), final]);
    const data = open(key, nonce(index), sealed, aad);
    demand(data !== undefined, 4500, "does not open");
    return data;
  });
  return Buffer.concat(chunks);
}
