import type { IncomingMessage } from "node:http";
import { WireError } from "@photinus/core/errors";
import type { Connection, Connector } from "@photinus/core/platform";
import { type ClientOptions, WebSocket } from "ws";
import { explainRefusal, explainResponse } from "./connection-refusal.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { MAX_FRAME_BYTES, SUBPROTOCOL, webSocketConnection } from "./web-socket-connection.ts";

/** Options of {@link webSocketConnector}. */
export interface WebSocketConnectorOptions {
  /** `ws:` or `wss:` address of the server's socket, path included. */
  readonly url: string;
  /** PEM certificates that the TLS peer must chain to. Default: the roots of Node. */
  readonly ca?: readonly string[];
  /** Certificate that TLS presents where the server asks for one. */
  readonly clientCertificate?: TlsIdentity;
  /** Time for DNS, TCP, TLS and upgrade together. Default 10 000 ms. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** How long a closing socket waits for the peer's close frame, in ms. */
const CLOSE_TIMEOUT_MS = 2_000;

/** `closeTimeout` is an option of ws 8.23 that its types lack. */
type SocketOptions = ClientOptions & { readonly closeTimeout: number };

function socketOptions(options: WebSocketConnectorOptions): SocketOptions {
  const { clientCertificate } = options;
  return {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    skipUTF8Validation: true,
    followRedirects: false,
    handshakeTimeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.privateKey }),
  };
}

function open(options: WebSocketConnectorOptions, signal: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(options.url, [SUBPROTOCOL], socketOptions(options));
    const fail = (error: unknown): void => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
      socket.terminate();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    // Stays for ever: terminate() during the handshake emits "error" once more.
    socket.on("error", (cause) => {
      fail(new WireError("ERR_CONNECTION_REFUSED", explainRefusal(options.url, cause), { cause }));
    });
    socket.on("unexpected-response", (_request, response: IncomingMessage) => {
      fail(new WireError("ERR_CONNECTION_REFUSED", explainResponse(options.url, response)));
    });
    socket.on("open", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(webSocketConnection(socket, { remoteAddress: new URL(options.url).host }));
    });
  });
}

/**
 * Opens WebSocket connections to one server.
 * @throws TypeError when the address is neither `ws:` nor `wss:`
 */
export function webSocketConnector(options: WebSocketConnectorOptions): Connector {
  const { protocol } = new URL(options.url);
  if (protocol !== "ws:" && protocol !== "wss:") throw new TypeError(`expected ws: or wss:, got ${protocol}`);
  return {
    async connect(signal) {
      signal.throwIfAborted();
      return await open(options, signal);
    },
  };
}
