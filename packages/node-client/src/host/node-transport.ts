import type { ConsoleTransport } from "@photinus/core/console";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { type ServerConnectorOptions, serverConnector } from "./server-connector.ts";

/**
 * What `connect` of `@photinus/core/console` works with in Node.
 * @throws as {@link serverConnector}
 */
export function nodeTransport(options: ServerConnectorOptions): ConsoleTransport {
  return { connector: serverConnector(options), clock: systemClock(), crypto: nodeCrypto() };
}
