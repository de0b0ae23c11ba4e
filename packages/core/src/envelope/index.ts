export { ChainDirectory, type ChainDirectoryModules, type ChainDirectoryOptions } from "./chain-directory.ts";
export { type Checkpoint, openCheckpoint, runningHash, sealCheckpoint } from "./checkpoint-frame.ts";
export type { VerifiedObject } from "./contract.ts";
export {
  type ErrorNotice,
  MAX_DETAIL_BYTES,
  MAX_RETRY_MS,
  readError,
  truncateUtf8,
  wireCodeOf,
  writeError,
} from "./error-frame.ts";
export {
  LastingObjects,
  type LastingObjectsModules,
  MAX_SEEN_OBJECTS,
  type ObjectRecords,
  type OfferedObject,
  openLastingObjects,
} from "./lasting-objects.ts";
export { type MessageHeader, readMessageHeader, writeMessage } from "./message-frame.ts";
export { metadataObjectRecords } from "./metadata-object-records.ts";
export {
  AUDIENCE_ALL,
  identifyObject,
  MAX_COMMAND_LIFETIME_MS,
  MAX_OBJECT_LIFETIME_MS,
  type ObjectContent,
  type ObjectRule,
  ObjectVerifier,
  type ObjectVerifierModules,
  type ObjectVerifierOptions,
  openObjectEvidence,
  sealObject,
} from "./object.ts";
export {
  CODEC_DECOMPOSER,
  describePayload,
  type PayloadDescriptor,
  requirePayload,
} from "./payload.ts";
export { type HandledObject, memoryReplayStore, type ObjectReplayStore } from "./replay-store.ts";
export { type Direction, MAX_NAME_BYTES, type Route } from "./route.ts";
export { SeenMessages } from "./seen-messages.ts";
export { type FrameToSign, signatureLength, signFrame } from "./signature.ts";
export {
  MAX_MESSAGE_LIFETIME_MS,
  MAX_SCOPE_BYTES,
  MESSAGE_SKEW_MS,
  openSigned,
  readSignedHeader,
  type SignedExpectations,
  type SignedHeader,
  type SignedMessage,
  sealSigned,
} from "./signed.ts";
export {
  type IssuedToken,
  issueToken,
  TOKEN_LIFETIME_MS,
  type Token,
  type TokenExpectations,
  type TokenRequest,
  verifyToken,
} from "./token.ts";
export { TokenBook } from "./token-book.ts";
