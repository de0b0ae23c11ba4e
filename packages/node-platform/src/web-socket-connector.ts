import type { IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { WireError } from "@photinus/core/errors";
import type { Connection, Connector } from "@photinus/core/platform";
import { type ClientOptions, WebSocket } from "ws";
import { explainRefusal, explainResponse, retryAfterMs } from "./connection-refusal.ts";
import type { HttpProxy } from "./proxy.ts";
import { openTunnel, type TunnelTarget } from "./proxy-tunnel.ts";
import type { TlsIdentity } from "./tls-identity.ts";
import { MAX_FRAME_BYTES, SUBPROTOCOL, webSocketConnection } from "./web-socket-connection.ts";

/** Options of {@link webSocketConnector}. */
export interface WebSocketConnectorOptions {
  /** `ws:` or `wss:` address of the server's socket, path included. */
  readonly url: string;
  /** PEM certificates that the TLS peer must chain to, and to no others. Default: the roots of Node. */
  readonly ca?: readonly string[];
  /** Name that the TLS certificate must carry. Default: the host of `url`. */
  readonly serverName?: string;
  /** Certificate that TLS presents where the server asks for one. */
  readonly clientCertificate?: TlsIdentity;
  /** HTTP proxy through which the server is reached. Default: none; the environment is not looked at. */
  readonly proxy?: HttpProxy;
  /** Time for proxy, DNS, TCP, TLS and upgrade together. Default 10 000 ms. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** How long a closing socket waits for the peer's close frame, in ms. */
const CLOSE_TIMEOUT_MS = 2_000;

/** `closeTimeout` is an option of ws 8.23 that its types lack. */
type SocketOptions = ClientOptions & { readonly closeTimeout: number };

function socketOptions(options: WebSocketConnectorOptions, tunnel: Socket | undefined): SocketOptions {
  return {
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    skipUTF8Validation: true,
    followRedirects: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    ...tlsOptions(options),
    ...(tunnel === undefined ? {} : { createConnection: () => throughTunnel(options, tunnel) }),
  };
}

type TlsClientOptions = Pick<ConnectionOptions, "ca" | "cert" | "key" | "servername" | "minVersion">;

function tlsOptions({ ca, clientCertificate, serverName }: WebSocketConnectorOptions): TlsClientOptions {
  return {
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.privateKey }),
  };
}

/** TLS ends at the server, not at the proxy. */
function throughTunnel(options: WebSocketConnectorOptions, socket: Socket): Socket {
  const { protocol } = new URL(options.url);
  if (protocol === "ws:") return socket;
  const { host } = targetOf(options.url);
  const servername = isIP(host) === 0 ? host : ""; // an address is no name for SNI (RFC 6066, section 3)
  return connectTls({ host, servername, ...tlsOptions(options), socket });
}

function targetOf(url: string): TunnelTarget {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return { host, port: port === "" ? (protocol === "wss:" ? 443 : 80) : Number(port) };
}

async function open(options: WebSocketConnectorOptions, signal: AbortSignal): Promise<Connection> {
  const { url, proxy, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const expiry = new AbortController();
  const timer = setTimeout(() => expiry.abort(expired(options)), timeoutMs);
  const either = AbortSignal.any([signal, expiry.signal]);
  try {
    const tunnel = proxy === undefined ? undefined : await openTunnel(targetOf(url), proxy, either);
    return await openSocket(options, tunnel, either);
  } finally {
    clearTimeout(timer);
  }
}

function expired({ url, proxy, timeoutMs = DEFAULT_TIMEOUT_MS }: WebSocketConnectorOptions): WireError {
  const way = proxy === undefined ? "" : ` through the proxy ${proxy.host}:${proxy.port}`;
  return new WireError("ERR_CONNECTION_REFUSED", `${url}: nothing answered within ${timeoutMs} ms${way}`);
}

function openSocket(
  options: WebSocketConnectorOptions,
  tunnel: Socket | undefined,
  signal: AbortSignal,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(options.url, [SUBPROTOCOL], socketOptions(options, tunnel));
    const fail = (error: unknown): void => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
      socket.terminate();
      tunnel?.destroy();
    };
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    // Stays for ever: terminate() during the handshake emits "error" once more.
    socket.on("error", (cause) => {
      fail(new WireError("ERR_CONNECTION_REFUSED", explainRefusal(options.url, cause), { cause }));
    });
    socket.on("unexpected-response", (_request, response: IncomingMessage) => {
      const when = { retryAfterMs: retryAfterMs(response) };
      fail(new WireError("ERR_CONNECTION_REFUSED", explainResponse(options.url, response), when));
    });
    socket.on("open", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(webSocketConnection(socket, { remoteAddress: new URL(options.url).host, isClient: true }));
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
