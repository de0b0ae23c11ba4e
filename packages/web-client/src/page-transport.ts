import type { ConsoleTransport } from "@photinus/core/console";
import { webCrypto } from "@photinus/core/platform";
import { systemClock } from "./system-clock.ts";
import { socketUrl, webSocketConnector } from "./web-socket-connector.ts";

/**
 * What `connect` of `@photinus/core/console` works with in a page.
 * @param url address of the server's socket. Default: that of the server that served this page
 */
export function pageTransport(url: string = socketUrl()): ConsoleTransport {
  const clock = systemClock();
  return { connector: webSocketConnector({ url }, { clock }), clock, crypto: webCrypto() };
}
