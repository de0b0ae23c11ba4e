export { Allowance, type AllowanceOptions } from "./allowance.ts";
export { type Bus, type BusListener, localBus, MAX_NOTICE_BYTES } from "./bus.ts";
export { type Clock, sleep, type Timer } from "./clock.ts";
export type {
  AgreementKey,
  Awaitable,
  CertificateHash,
  CertificateSignatureScheme,
  CryptoProvider,
  EcdsaScheme,
  OpenApartRequest,
  RsaPkcs1Scheme,
  RsaPssScheme,
  SealIntoRequest,
  SecretKey,
  SignatureAlgorithm,
  SigningKey,
  VerifyingKey,
} from "./crypto.ts";
export { FrameQueue } from "./frame-queue.ts";
export { type LogFields, type Logger, silentLogger } from "./logger.ts";
export {
  type FramePort,
  type MessagePortConnectionOptions,
  messagePortConnection,
} from "./message-port-connection.ts";
export { type MetricLabels, type Metrics, noMetrics } from "./metrics.ts";
export type { Random } from "./random.ts";
export type {
  AuditEvent,
  AuditRecord,
  AuditStore,
  BlobStore,
  MetadataEntry,
  MetadataPage,
  MetadataStore,
  ScratchFile,
  ScratchStore,
  StoredBlob,
} from "./storage.ts";
export {
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_BYTES,
  requireMetadataKey,
  requireMetadataPrefix,
  requireMetadataValue,
} from "./storage-limits.ts";
export type { Connection, ConnectionEnd, ConnectionFollower, Connector, FrameSource } from "./transport.ts";
export { webCrypto } from "./web-crypto.ts";
export type { WebCryptoSource } from "./web-crypto-key.ts";
