export { openApart, sealInto, TAG_BYTES } from "./aead.ts";
export { counterNonce, u16, u32, u64 } from "./big-endian.ts";
export {
  FRAME_KIND,
  type Frame,
  type FrameKind,
  type FrameLengths,
  type FrameParts,
  MAX_FRAME_BYTES,
  MAX_HANDSHAKE_BYTES,
  MAX_HEADER_BYTES,
  MAX_TAG_BYTES,
  PREFIX_BYTES,
  PROTOCOL_VERSION,
  prefixOf,
  readFrame,
  writeFrame,
  writePrefix,
} from "./frame.ts";
export { type Label, labelled, prologueOf } from "./label.ts";
export { CipherState } from "./noise/cipher-state.ts";
export { type HandshakeOptions, HandshakeState, type TransportKeys } from "./noise/handshake-state.ts";
export {
  MAX_INNER_FRAME_BYTES,
  RECORD_LIMITS,
  RECORD_OVERHEAD_BYTES,
  type RecordLimits,
  type RecordModules,
  RecordReceiver,
  RecordSender,
} from "./record.ts";
export { nextKey, writeRekey } from "./rekey.ts";
