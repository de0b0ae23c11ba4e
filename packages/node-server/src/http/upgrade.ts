import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { wireCodeOf, writeError } from "@photinus/core/envelope";
import { type ErrorCode, isErrorCode, PhotinusError } from "@photinus/core/errors";
import type { Clock, Logger, Metrics } from "@photinus/core/platform";
import { MAX_FRAME_BYTES, SUBPROTOCOL, webSocketConnection } from "@photinus/node-platform";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { clientAddress, type ProxyTrust } from "./client-address.ts";
import type { Federation, TransportPeer } from "./federation.ts";
import { forwardedLeafOf } from "./forwarded-certificate.ts";
import { problem, statusOf } from "./problem.ts";
import { tlsLeafOf } from "./tls.ts";
import type { Passage, Refusal, UpgradeGate } from "./upgrade-limits.ts";

/** What upgrades work with. */
export interface UpgradeModules {
  readonly federation: Federation;
  readonly gate: UpgradeGate;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Options of {@link upgrades}. */
export interface UpgradeOptions {
  readonly trust: ProxyTrust;
  /** Origins whose pages may open a socket, beside the server's own. */
  readonly allowedOrigins: readonly string[];
  /** See `UpgradeLimits`. */
  readonly bytesBeforeAuthentication: number;
}

/** Takes over requests that ask for a WebSocket. */
export interface Upgrades {
  /** Handler of the event "upgrade". */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Refuses from here on. */
  refuseAll(): void;
  /** Ends what is still connected: politely, then after `graceMs` by cutting the line. */
  end(graceMs: number): Promise<void>;
}

/** How long a closing socket waits for the peer's close frame, in ms. */
const CLOSE_TIMEOUT_MS = 2_000;
/** What a peer waits when the server stops, in ms. */
const RETRY_AFTER_MS = 10_000;
/** Pages that hear their refusal at a time; the others are answered like everybody else. */
const MAX_TOLD = 64;

/** Options of ws 8.23 that its types lack. */
interface NewerOptions {
  readonly closeTimeout: number;
  readonly maxBufferedChunks: number;
  readonly maxFragments: number;
}

const SOCKET_OPTIONS: ServerOptions & NewerOptions = {
  noServer: true,
  clientTracking: false,
  maxPayload: MAX_FRAME_BYTES,
  perMessageDeflate: false,
  skipUTF8Validation: true,
  handleProtocols: () => SUBPROTOCOL,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // A frame of 1 MiB comes in some hundred pieces; one that comes byte by byte would take hundreds of bytes for each.
  maxBufferedChunks: 8_192,
  maxFragments: 1_024,
};

/** Answers a socket that gets no WebSocket: HTTP with the refusal as JSON. */
function answer(socket: Duplex, code: ErrorCode, message: string, retryAfterMs = RETRY_AFTER_MS): void {
  const status = statusOf(code);
  const body = JSON.stringify(problem(code, message));
  const hasRetry = status === 429 || status === 503;
  const retry = hasRetry ? `Retry-After: ${Math.ceil(retryAfterMs / 1000)}\r\n` : "";
  // A peer that never closes its end would keep the socket, and the server from stopping.
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${retry}` +
      `Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function offersSubprotocol(request: IncomingMessage): boolean {
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").some((name) => name.trim() === SUBPROTOCOL);
}

/** A page of another site must not use the reader's network position: its origin is compared with the host asked for. */
function hasForeignOrigin(request: IncomingMessage, allowedOrigins: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowedOrigins.includes(origin)) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Why a request gets no socket, before any limit is counted. */
function refusalOf(
  request: IncomingMessage,
  { allowedOrigins }: UpgradeOptions,
): readonly [ErrorCode, string] | undefined {
  const path = (request.url ?? "").split("?")[0];
  if (path !== "/ws") return ["ERR_NOT_FOUND", "WebSockets are taken at /ws"];
  if (!offersSubprotocol(request)) return ["ERR_UPGRADE_REFUSED", `the subprotocol is ${SUBPROTOCOL}`];
  if (hasForeignOrigin(request, allowedOrigins)) {
    return ["ERR_UPGRADE_REFUSED", "pages of this origin may not connect"];
  }
  return undefined;
}

/** A request that asks for a WebSocket. */
interface Upgrading {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Cuts the line; listens to its errors until it is a WebSocket. */
  readonly cut: () => void;
}

/** Who came through the gate. */
interface Entrant {
  readonly address: string;
  readonly passage: Passage;
  readonly peer: TransportPeer;
  /** The line below the WebSocket. */
  readonly line: Duplex;
}

/** Made apart: it lives as long as the socket, and would keep the request alive with it. */
function cutterOf(socket: Duplex): () => void {
  return () => {
    socket.destroy();
  };
}

class UpgradeHandler implements Upgrades {
  readonly #options: UpgradeOptions;
  readonly #modules: UpgradeModules;
  readonly #server = new WebSocketServer(SOCKET_OPTIONS);
  readonly #open = new Set<WebSocket>();
  readonly #told = new Set<WebSocket>();
  /** One listener for all WebSockets. */
  readonly #onClose: (this: WebSocket) => void;
  #isClosed = false;

  constructor(options: UpgradeOptions, modules: UpgradeModules) {
    this.#options = options;
    this.#modules = modules;
    const closed = (socket: WebSocket): void => this.#closed(socket);
    this.#onClose = function onClose() {
      closed(this);
    };
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const cut = cutterOf(socket);
    // A socket that breaks before it is a WebSocket has no other listener, and would end the process.
    socket.on("error", cut);
    this.#upgrade({ request, socket, head, cut }).catch((error: unknown) => this.#refuse(socket, error));
  }

  refuseAll(): void {
    this.#isClosed = true;
  }

  async end(graceMs: number): Promise<void> {
    for (const socket of this.#told) socket.terminate();
    const closed = [...this.#open].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of this.#open) socket.close(4024, "the server stops");
    const cut = this.#modules.clock.after(graceMs, () => {
      for (const socket of this.#open) socket.terminate();
    });
    await Promise.all(closed);
    cut.cancel();
  }

  async #upgrade(upgrading: Upgrading): Promise<void> {
    const { request, socket, head, cut } = upgrading;
    const refusal = this.#isClosed
      ? (["ERR_GOING_AWAY", "the server stops"] as const)
      : refusalOf(request, this.#options);
    if (refusal) {
      this.#count(refusal[0]);
      answer(socket, ...refusal);
      return;
    }
    const address = clientAddress(request, this.#options.trust);
    const forwardedLeaf = forwardedLeafOf(request, this.#options.trust);
    const passage = await this.#modules.gate.enter(address, cut);
    if ("code" in passage) {
      this.#sendAway(passage, upgrading);
      return;
    }
    socket.on("close", passage.leave);
    if (socket.destroyed) passage.leave();
    else
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", cut); // ws has a listener of its own
        this.#accept(webSocket, {
          ...{ address, passage, line: socket },
          peer: { tlsLeaf: tlsLeafOf(request), forwardedLeaf },
        });
      });
  }

  #accept(socket: WebSocket, { address: remoteAddress, passage, peer, line }: Entrant): void {
    const { federation, logger, metrics } = this.#modules;
    this.#count("accepted");
    this.#open.add(socket);
    metrics.gauge("photinus_connections", this.#open.size);
    socket.on("close", this.#onClose);
    const stopCounting = this.#limitBytes(socket, line);
    const connection = webSocketConnection(socket, { remoteAddress });
    federation
      .accept(connection, peer)
      .authenticated.then(passage.authenticated, (error: unknown) => {
        passage.leave();
        const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
        logger.info("a connection was not admitted", { remoteAddress, errorCode: code });
      })
      .finally(() => {
        stopCounting();
        line.off("close", passage.leave); // it has left
      });
  }

  #closed(socket: WebSocket): void {
    this.#open.delete(socket);
    this.#modules.metrics.gauge("photinus_connections", this.#open.size);
  }

  /** A handshake is small: who sends more before it is through is cut off, whatever a frame may hold afterwards. */
  #limitBytes(socket: WebSocket, line: Duplex): () => void {
    let bytes = 0;
    const count = (data: Uint8Array): void => {
      bytes += data.byteLength;
      // What comes to a socket that closes is thrown away anyway; cutting it would lose the reason.
      if (bytes > this.#options.bytesBeforeAuthentication && socket.readyState === socket.OPEN) {
        this.#count("ERR_TOO_LARGE");
        socket.terminate();
      }
    };
    line.on("data", count);
    return () => line.off("data", count);
  }

  /**
   * A page cannot read the answer to an upgrade, so it is told by an ERROR frame: some at a time. Everybody else is
   * answered by HTTP.
   */
  #sendAway({ code, message, retryAfterMs }: Refusal, { request, socket, head }: Upgrading): void {
    this.#count(code);
    const isPage = request.headers.origin !== undefined;
    if (!isPage || this.#told.size >= MAX_TOLD || socket.destroyed) {
      answer(socket, code, message, retryAfterMs);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#told.add(webSocket);
      webSocket.once("close", () => this.#told.delete(webSocket));
      webSocket.on("error", () => undefined); // "close" follows
      webSocket.send(writeError({ code, retryAfterMs, detail: message }));
      webSocket.close(wireCodeOf(code), code);
    });
  }

  #refuse(socket: Duplex, error: unknown): void {
    const isRefusal = error instanceof PhotinusError && isErrorCode(error.code);
    if (!isRefusal) this.#modules.logger.error("an upgrade failed", error);
    const code = isRefusal && isErrorCode(error.code) ? error.code : "ERR_INTERNAL";
    this.#count(code);
    answer(socket, code, isRefusal ? error.message : "the server failed to take this connection");
  }

  #count(outcome: string): void {
    this.#modules.metrics.count("photinus_upgrades_total", 1, { outcome });
  }
}

/** Turns upgrade requests into connections and hands them to the federation. */
export function upgrades(options: UpgradeOptions, modules: UpgradeModules): Upgrades {
  return new UpgradeHandler(options, modules);
}
