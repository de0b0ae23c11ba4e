import { type Bytes, concatBytes, toHex, utf8 } from "../../packages/core/src/bytes/index.ts";
import {
  type BlobDescription,
  bytesSource,
  checkManifest,
  makeManifest,
  type StreamManifest,
  sealBlob,
  writeChunk,
  writeCredit,
} from "../../packages/core/src/stream/index.ts";
import { virtualClock } from "../../packages/core/src/testing/index.ts";
import { type FixedCrypto, fixedCrypto } from "./fixed-crypto.ts";
import { PROJECT } from "./participants.ts";
import { wireCodeOfRefusal } from "./refusal.ts";

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const CHUNK_BYTES = 65_536;

/** Byte i is 7 · i + ⌊i / 65536⌋ modulo 256: no chunk is like another. */
const contentOf = (length: number): Bytes =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 16)) & 0xff);

const manifestHex = ({ streamId, chunkBytes, totalBytes, leaves, root }: StreamManifest): object => ({
  streamId: toHex(streamId),
  chunkBytes,
  totalBytes,
  leaves: toHex(leaves),
  root: toHex(root),
});

async function manifestOf(length: number, { crypto }: FixedCrypto): Promise<StreamManifest> {
  const options = { totalBytes: length, chunkBytes: CHUNK_BYTES, streamId: fill(16, 6) };
  return await makeManifest(bytesSource(contentOf(length)), options, { crypto, clock: virtualClock() });
}

/** Manifests of streams, the frames that carry them, what is refused. */
export async function streamVectors(): Promise<object> {
  const fixed = fixedCrypto("streams");
  const manifest = await manifestOf(131_099, fixed);
  const { leaves } = manifest;
  const swapped = concatBytes(leaves.subarray(32, 64), leaves.subarray(0, 32), leaves.subarray(64));
  const refused: readonly (readonly [string, StreamManifest])[] = [
    ["leaves in another order", { ...manifest, leaves: swapped }],
    ["a leaf too few", { ...manifest, leaves: leaves.slice(32) }],
    ["another length", { ...manifest, totalBytes: 131_098 }],
    ["chunks of 65535 bytes", { ...manifest, chunkBytes: 65_535 }],
    ["no bytes", { ...manifest, totalBytes: 0 }],
    ["an id of 15 bytes", { ...manifest, streamId: fill(15, 6) }],
    ["more than 16384 chunks", { ...manifest, totalBytes: 16_384 * CHUNK_BYTES + 1 }],
  ];
  return {
    about:
      "content: byte i is 7 i + floor(i / 65536), modulo 256. chunks: CHUNK frames (kind 7), credits: CREDIT frames (kind 11). refused: manifests with the code of the refusal.",
    manifests: [manifestHex(manifest), manifestHex(await manifestOf(1, fixed))],
    chunks: [
      {
        streamId: toHex(fill(16, 6)),
        index: 70_000,
        data: toHex(utf8("data")),
        frame: toHex(writeChunk({ streamId: fill(16, 6), index: 70_000, data: utf8("data") })),
      },
    ],
    credits: [
      { streamId: toHex(fill(16, 6)), bytes: 8_388_608, frame: toHex(writeCredit(fill(16, 6), 8_388_608)) },
    ],
    refused: await Promise.all(
      refused.map(async ([name, bad]) => ({
        name,
        manifest: manifestHex(bad),
        code: await wireCodeOfRefusal(name, () => checkManifest(bad, 2 ** 40, fixed.crypto)),
      })),
    ),
  };
}

const descriptionHex = ({ root, blobId, chunkBytes, totalBytes, leaves }: BlobDescription): object => ({
  root: toHex(root),
  blobId: toHex(blobId),
  chunkBytes,
  totalBytes,
  leaves: toHex(leaves),
});

async function sealed(length: number, { crypto }: FixedCrypto): Promise<object> {
  const { blob, key } = await sealBlob(
    bytesSource(contentOf(length)),
    { project: PROJECT, totalBytes: length, chunkBytes: CHUNK_BYTES },
    { crypto, clock: virtualClock() },
  );
  const frameDigests = await Promise.all(blob.frames.map(async (frame) => toHex(await crypto.sha256(frame))));
  // Whole frames of a small blob; a large one is told by its digests.
  const frames = length < 1000 ? blob.frames.map((frame) => toHex(frame)) : undefined;
  return {
    key: toHex(key),
    description: descriptionHex(blob),
    frameDigests,
    ...(frames === undefined ? {} : { frames }),
  };
}

/** Sealed blobs with their keys. */
export async function blobVectors(): Promise<object> {
  return {
    about:
      "Blobs over the content whose byte i is 7 i + floor(i / 65536), modulo 256. frameDigests: SHA-256 of the BLOB frames (kind 14); frames: themselves, of the small one.",
    project: PROJECT,
    blobs: [await sealed(300, fixedCrypto("small blob")), await sealed(131_099, fixedCrypto("blob"))],
  };
}
