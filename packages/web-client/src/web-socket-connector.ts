import { WireError } from "@photinus/core/errors";
import { type Clock, type Connector, sleep } from "@photinus/core/platform";
import { webSocketConnection } from "./web-socket-connection.ts";

/** Subprotocol of Photinus; the server refuses an upgrade without it. */
export const SUBPROTOCOL = "photinus.v1";

/** The socket of the server that served this page. */
export function socketUrl(): string {
  const url = new URL("/ws", location.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** Options of {@link webSocketConnector}. */
export interface WebSocketConnectorOptions {
  /** `ws:` or `wss:` address of the server's socket, path included. */
  readonly url: string;
  /** Time for DNS, TCP, TLS and upgrade together. Default 10 000 ms. */
  readonly timeoutMs?: number;
}

/**
 * Opens the browser's WebSockets to one server. The browser tells a script nothing of why an attempt failed, so the
 * errors name what to check.
 *
 * @throws TypeError when the address is neither `ws:` nor `wss:`
 */
export function webSocketConnector(
  { url, timeoutMs = 10_000 }: WebSocketConnectorOptions,
  { clock }: { readonly clock: Clock },
): Connector {
  const { protocol } = new URL(url);
  if (protocol !== "ws:" && protocol !== "wss:") throw new TypeError(`expected ws: or wss:, got ${protocol}`);
  return {
    async connect(signal) {
      signal.throwIfAborted();
      const socket = new WebSocket(url, SUBPROTOCOL);
      socket.binaryType = "arraybuffer";
      socket.addEventListener("error", () => undefined); // "close" follows and tells as much
      const settled = new AbortController();
      try {
        await Promise.race([
          opened(socket, url),
          expiry(clock, timeoutMs, AbortSignal.any([signal, settled.signal]), url),
        ]);
      } catch (error) {
        socket.close();
        signal.throwIfAborted();
        throw error;
      } finally {
        settled.abort();
      }
      return webSocketConnection(socket, { clock });
    },
  };
}

function opened(socket: WebSocket, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener(
      "close",
      ({ code }) => {
        reject(
          new WireError(
            "ERR_CONNECTION_REFUSED",
            `no socket at ${url} (code ${code}): is the server running?`,
          ),
        );
      },
      { once: true },
    );
  });
}

async function expiry(clock: Clock, timeoutMs: number, signal: AbortSignal, url: string): Promise<never> {
  await sleep(clock, timeoutMs, signal);
  throw new WireError("ERR_CONNECTION_REFUSED", `no answer from ${url} within ${timeoutMs} ms`);
}
