export { ChunkSet, MAX_BITMAP_BYTES } from "./chunk-set.ts";
export {
  type ChunkPlan,
  chunkCount,
  chunkLength,
  DEFAULT_CHUNK_BYTES,
  LEAF_BYTES,
  leafOf,
  MAX_CHUNK_BYTES,
  MAX_CHUNKS,
  MIN_CHUNK_BYTES,
  rootOf,
} from "./chunks.ts";
export type {
  BlobChunk,
  BlobFrames,
  SealedBlob,
  StreamManifest,
  StreamSink,
  StreamSource,
} from "./contract.ts";
export {
  blobHeader,
  chunkParts,
  readBlobChunk,
  readChunk,
  readCredit,
  type StreamChunk,
  writeChunk,
  writeCredit,
} from "./frames.ts";
export { type IncomingModules, IncomingStream } from "./incoming.ts";
export { checkManifest, type ManifestOptions, makeManifest, type StreamModules } from "./manifest.ts";
export { missingFrames } from "./missing-frames.ts";
export { OutgoingStream } from "./outgoing.ts";
export {
  type BlobDescription,
  BlobOpener,
  chunkAssociatedData,
  ciphertextPlan,
  type OpenBlobOptions,
  openBlob,
  restoreBlob,
  type SealBlobOptions,
  type SealedBlobWithKey,
  sealBlob,
} from "./sealed-blob.ts";
export { bytesSink, bytesSource, parametersSource } from "./sources.ts";
