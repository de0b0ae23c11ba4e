export {
  auditSegmentPath,
  beginSegment,
  openLiveFile,
  openPlainFile,
  readAuditFile,
  readAuditSegments,
  syncFolder,
  textOfFile,
} from "./audit-segments.ts";
export { explainRefusal } from "./connection-refusal.ts";
export { fileVersion } from "./file-version.ts";
export { type FolderLock, lockFolder } from "./folder-lock.ts";
export { bytesPassed, compactMemory, spareFullCollections } from "./garbage-collection.ts";
export { type HostWebCryptoOptions, hostWebCrypto } from "./host-web-crypto.ts";
export { readKitFolder, writeKitFolder } from "./kit-folder.ts";
export { type FetchLimits, type FetchRequest, limitedFetch, requireSecureUrl } from "./limited-fetch.ts";
export { hasNativeMasking, reportNativeMasking } from "./native-masking.ts";
export { nodeCrypto } from "./node-crypto.ts";
export { type KitOfHost, openHostKit } from "./open-host-kit.ts";
export { type PinoLoggerOptions, pinoLogger } from "./pino-logger.ts";
export { type HttpProxy, type ProxyEnvironment, parseProxy, proxyFromEnvironment } from "./proxy.ts";
export { openTunnel, type TunnelTarget } from "./proxy-tunnel.ts";
export { readKit } from "./read-kit.ts";
export { readSecret, readSecretFile } from "./read-secret.ts";
export { revocationFolder } from "./revocation-folder.ts";
export { readSmallFile, replaceFile } from "./small-file.ts";
export { systemClock } from "./system-clock.ts";
export { pem, type TlsIdentity, tlsIdentity } from "./tls-identity.ts";
export {
  LOW_WATER_BYTES,
  MAX_FRAME_BYTES,
  RECEIVE_BUFFER_BYTES,
  SUBPROTOCOL,
  type WebSocketConnectionOptions,
  webSocketConnection,
} from "./web-socket-connection.ts";
export {
  type WebSocketConnectorOptions,
  webSocketConnector,
} from "./web-socket-connector.ts";
export { writeKitZip } from "./write-kit-zip.ts";
