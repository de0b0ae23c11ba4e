export type { StoredConsent, StoredIdentity } from "./browser-database.ts";
export {
  type IdentityStore,
  openIdentityStore,
} from "./identity-store.ts";
export { pageTransport } from "./page-transport.ts";
export { systemClock } from "./system-clock.ts";
export { type CreateTrainerOptions, createTrainer } from "./trainer/index.ts";
export { LOW_WATER_BYTES, RECEIVE_LIMIT_BYTES } from "./web-socket-connection.ts";
export { SUBPROTOCOL, type WebSocketConnectorOptions, webSocketConnector } from "./web-socket-connector.ts";
