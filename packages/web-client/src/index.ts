export {
  type IdentityStore,
  openIdentityStore,
  type StoredConsent,
  type StoredIdentity,
} from "./identity-store.ts";
export { systemClock } from "./system-clock.ts";
export { LOW_WATER_BYTES, RECEIVE_LIMIT_BYTES } from "./web-socket-connection.ts";
export { SUBPROTOCOL, type WebSocketConnectorOptions, webSocketConnector } from "./web-socket-connector.ts";
