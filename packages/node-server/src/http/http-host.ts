import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer, Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { HostError } from "@photinus/core/errors";
import { type Clock, type Logger, sleep } from "@photinus/core/platform";
import type { LoginPace } from "@photinus/core/session";
import { reportNativeMasking } from "@photinus/node-platform";
import type { Context } from "hono";
import type { JoinSignIn } from "../sign-in/join-sign-in.ts";
import type { SignIn } from "../sign-in/sign-in.ts";
import { createApp } from "./app.ts";
import { clientAddress, isLocalRequest, isLoopback, type ProxyTrust } from "./client-address.ts";
import type { Federation } from "./federation.ts";
import type { PrometheusMetrics } from "./prometheus-metrics.ts";
import { ProxiedSockets } from "./proxied-sockets.ts";
import type { ReadTokens } from "./read-tokens.ts";
import { RequestSockets } from "./request-sockets.ts";
import { type StaticFolder, staticFolder } from "./static-folder.ts";
import { secureOptions, TlsContexts, type TlsOptions } from "./tls.ts";
import { type Upgrades, upgrades } from "./upgrade.ts";
import { DEFAULT_UPGRADE_LIMITS, type UpgradeLimits, upgradeGate } from "./upgrade-limits.ts";

/** Options of {@link HttpHost}. */
export interface HttpHostOptions {
  /** Address to listen at. Default 127.0.0.1. */
  readonly host?: string;
  /** Port; 0 takes a free one. */
  readonly port: number;
  /** Absent: clear. Pages are then served on loopback only. */
  readonly tls?: TlsOptions;
  /** Folder of the built pages; may still be built. Absent: no pages. */
  readonly pages?: string | Promise<string>;
  /** Folder of public example data, served under `/demo/`. */
  readonly demo?: string;
  /** Addresses of proxies whose `X-Forwarded-For` is believed, for limits only. Default: none. */
  readonly trustedProxies?: readonly string[];
  /**
   * Every connection of a trusted proxy begins with a header of the PROXY protocol, version 1 or 2, that names its
   * client. Default false.
   */
  readonly proxyProtocol?: boolean;
  /** Origins of other sites whose pages may read and connect. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Limits before authentication. */
  readonly limits?: Partial<UpgradeLimits>;
  /** Readers of observation logs at a time. Default 256. */
  readonly maximumObservers?: number;
  /** Longest silence of an observation stream. Default 15 000 ms. */
  readonly heartbeatMs?: number;
  /** Time that connections get to end by themselves when the host stops. Default 5 000 ms. */
  readonly drainMs?: number;
}

/** What the host works with. */
export interface HttpHostModules {
  /** What takes connections and answers about jobs. */
  readonly federation: Federation;
  /** Who may read. */
  readonly tokens: ReadTokens;
  /** People who sign in by an identity provider. Default: none. */
  readonly signIn?: SignIn | undefined;
  /** People who sign in where a page takes part as a site. Default: none. */
  readonly joinSignIn?: JoinSignIn | undefined;
  /** Where figures go. */
  readonly metrics: PrometheusMetrics;
  /** Time. */
  readonly clock: Clock;
  /** Where log lines go. */
  readonly logger: Logger;
  /** The row in which those who are sent away come back, shared with the sessions. Default: a row of its own. */
  readonly pace?: LoginPace;
}

/** Where a host listens. */
export interface HostAddress {
  /** Address that the server listens on. */
  readonly host: string;
  /** Port that the server listens on. */
  readonly port: number;
  /** Origin of the pages, e.g. `http://127.0.0.1:8080`. */
  readonly origin: string;
  /** Address of the socket, e.g. `ws://127.0.0.1:8080/ws`. */
  readonly socketUrl: string;
}

const DEFAULT_DRAIN_MS = 5_000;
/** Node tells nothing when a connection becomes idle: it is looked at this often while the host stops, in ms. */
const POLL_MS = 10;

/** What a request and the TLS handshake before it may take, in bytes and ms; who is late is found a tenth later. */
function requestOptions(headersMs: number) {
  return {
    headersTimeout: headersMs,
    requestTimeout: headersMs + 20_000,
    maxHeaderSize: 16_384,
    connectionsCheckingInterval: Math.ceil(headersMs / 10),
    handshakeTimeout: headersMs,
  };
}

/** What listening failed of. */
function listenError(cause: NodeJS.ErrnoException, host: string, port: number): HostError {
  if (cause.code === "EADDRINUSE") {
    return new HostError("ERR_PORT_IN_USE", `port ${port} of ${host} is in use`, { cause });
  }
  return new HostError("ERR_ADDRESS_UNUSABLE", `cannot listen at ${host}:${port} (${cause.code})`, { cause });
}

/** One port for pages, API, blobs and WebSockets. */
export class HttpHost {
  readonly #options: HttpHostOptions;
  readonly #modules: HttpHostModules;
  readonly #stopping = new AbortController();
  readonly #limits: UpgradeLimits;
  readonly #proxied: ProxiedSockets | undefined;
  readonly #trust: ProxyTrust;
  readonly #contexts: TlsContexts | undefined;
  #server: Server | undefined;
  #upgrades: Upgrades | undefined;
  #address: Promise<HostAddress> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: HttpHostOptions, modules: HttpHostModules) {
    this.#options = options;
    this.#modules = modules;
    this.#limits = { ...DEFAULT_UPGRADE_LIMITS, ...options.limits };
    const { trustedProxies: proxies = [], proxyProtocol = false, tls } = options;
    this.#contexts = tls === undefined ? undefined : new TlsContexts(tls);
    const proxied = new ProxiedSockets(
      { trustedProxies: proxies, headerMs: this.#limits.headersMs },
      modules,
    );
    this.#proxied = proxyProtocol ? proxied : undefined;
    this.#trust = proxyProtocol
      ? { proxies, announcedOf: (socket) => proxied.announcedOf(socket) }
      : { proxies };
  }

  /**
   * Listens. Idempotent.
   * @throws HostError `ERR_PORT_IN_USE`, `ERR_ADDRESS_UNUSABLE`, `ERR_CLEAR_NOT_LOOPBACK`
   */
  start(): Promise<HostAddress> {
    this.#address ??= this.#start();
    return this.#address;
  }

  /** Takes nothing new, lets peers end in order, then cuts the rest. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /**
   * Presents other certificates to connections that begin from here on; those that are open stay. Nothing changes when it
   * throws.
   * @throws HostError `ERR_CONFIG_INVALID` when a certificate and its key do not belong together, or this host has no TLS
   */
  replaceTls(tls: TlsOptions): void {
    if (this.#contexts === undefined) throw new HostError("ERR_CONFIG_INVALID", "this host speaks no TLS");
    this.#contexts.replace(tls);
    const server = this.#server;
    if (server instanceof SecureServer) server.setSecureContext(secureOptions(tls, tls));
  }

  async #start(): Promise<HostAddress> {
    const { host = "127.0.0.1", port, tls, pages } = this.#options;
    if (tls === undefined && pages !== undefined && !isLoopback(host)) {
      throw new HostError("ERR_CLEAR_NOT_LOOPBACK", `pages would be served in clear at ${host}`);
    }
    const server = this.#create();
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => reject(listenError(cause, host, port)));
      server.listen(port, host, resolve);
    });
    server.on("error", (error) => this.#modules.logger.error("the HTTP server failed", error));
    this.#server = server;
    reportNativeMasking(this.#modules);
    return addressOf(server, host, tls !== undefined);
  }

  #create(): Server {
    const { tls } = this.#options;
    const listener = getRequestListener(this.#app().fetch, { overrideGlobalObjects: false });
    const handle: Parameters<typeof createServer>[1] = (request, response) =>
      void listener(request, response);
    const { allowedOrigins = [] } = this.#options;
    const limits = this.#limits;
    const requests = requestOptions(limits.headersMs);
    const server =
      tls === undefined || this.#contexts === undefined
        ? createServer(requests, handle)
        : createSecureServer({ ...requests, ...this.#contexts.serverOptions(tls) }, handle);
    const { bytesBeforeAuthentication } = limits;
    const gate = upgradeGate(limits, this.#modules);
    const handler = upgrades(
      { trust: this.#trust, allowedOrigins, bytesBeforeAuthentication },
      { ...this.#modules, gate },
    );
    const sockets = new RequestSockets(limits, this.#trust, this.#modules.metrics);
    server.prependListener("connection", (socket) => sockets.opened(socket));
    this.#proxied?.attach(server);
    server.on("upgrade", (request, socket, head) => {
      sockets.upgraded(socket);
      handler.handle(request, socket, head);
    });
    this.#upgrades = handler;
    return server;
  }

  #app(): ReturnType<typeof createApp> {
    const { pages, demo, allowedOrigins = [] } = this.#options;
    return createApp(
      {
        ...this.#modules,
        stopping: this.#stopping.signal,
        ...(pages === undefined ? {} : { pages: this.#folder(pages) }),
        ...(demo === undefined ? {} : { demo: this.#folder(demo) }),
      },
      {
        allowedOrigins,
        maximumObservers: this.#options.maximumObservers ?? 256,
        heartbeatMs: this.#options.heartbeatMs ?? 15_000,
        isLocal: (context) => isLocalRequest(incomingOf(context), this.#trust),
        addressOf: (context) => clientAddress(incomingOf(context), this.#trust),
        cut: (context) => incomingOf(context).socket.destroy(),
        blobs: this.#limits,
      },
    );
  }

  #folder(path: string | Promise<string>): Promise<StaticFolder> {
    const folder = Promise.resolve(path).then(staticFolder);
    folder.catch((error: unknown) => this.#modules.logger.error("a folder cannot be served", error));
    return folder;
  }

  async #stop(): Promise<void> {
    const started = await this.#address?.catch(() => undefined);
    const server = this.#server;
    if (started === undefined || server === undefined) return;
    const { clock, federation, logger } = this.#modules;
    const drainMs = this.#options.drainMs ?? DEFAULT_DRAIN_MS;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.#upgrades?.refuseAll();
    this.#proxied?.stop();
    this.#stopping.abort();
    const drained = federation.drain().catch((error: unknown) => logger.error("drain failed", error));
    const late = new AbortController();
    await Promise.race([drained, sleep(clock, drainMs, late.signal).catch(() => undefined)]);
    late.abort();
    await this.#upgrades?.end(drainMs);
    await endRequests(server, closed, { clock, drainMs });
  }
}

/** Waits for running responses, then cuts them. A kept-alive connection counts as open until it is closed as idle. */
async function endRequests(
  server: Server,
  closed: Promise<void>,
  { clock, drainMs }: { readonly clock: Clock; readonly drainMs: number },
): Promise<void> {
  let hasClosed = false;
  const watched = closed.then(() => {
    hasClosed = true;
  });
  const deadline = clock.now() + drainMs;
  while (!hasClosed && clock.now() < deadline) {
    server.closeIdleConnections();
    await Promise.race([watched, sleep(clock, POLL_MS)]);
  }
  server.closeAllConnections();
  await watched;
}

function incomingOf(context: Context): IncomingMessage {
  const { incoming } = context.env as HttpBindings; // what @hono/node-server passes to every request
  return incoming;
}

function addressOf(server: Server, host: string, isSecure: boolean): HostAddress {
  const { port } = server.address() as AddressInfo; // listening at a port, not at a pipe
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    host,
    port,
    origin: `${isSecure ? "https" : "http"}://${authority}`,
    socketUrl: `${isSecure ? "wss" : "ws"}://${authority}/ws`,
  };
}
