export type { BlobChunk, SealedBlob, StreamManifest, StreamSink, StreamSource } from "./contract.ts";
