import { rootCertificates } from "node:tls";
import type { Bytes } from "@photinus/core/bytes";
import { HostError, WireError } from "@photinus/core/errors";
import type { Connection, Connector } from "@photinus/core/platform";
import type { ConnectionSecurity, OpenedKit } from "@photinus/core/provision";
import { parseProxy, pem, type TlsIdentity, webSocketConnector } from "@photinus/node-platform";

/** Options of {@link serverConnector}. */
export interface ServerConnectorOptions {
  /** The kit of who connects, opened. */
  readonly kit: Pick<OpenedKit, "configuration" | "root" | "tlsAuthorities">;
  /** Certificate for TLS, presented where the other side asks for one. */
  readonly tls: TlsIdentity;
  /** Address of the server's socket in place of those in the kit. */
  readonly server?: string;
  /** Address of the HTTP proxy to reach an address of the server through. Default: none. */
  readonly proxyOf?: (url: string) => string | undefined;
}

/**
 * Connects to the server of a kit: its addresses in order, each by TLS that ends at the project's root or at a CA of
 * a proxy: those of the kit where it names any, else the public ones. Who the server is, the handshake inside proves, not TLS.
 *
 * @throws HostError `ERR_CONFIG_INVALID` when an address is none; WireError `ERR_TLS_MODE` when `server` is not reached
 *   as the kit says
 */
export function serverConnector({ kit, tls, server, proxyOf }: ServerConnectorOptions): Connector {
  const { configuration, root, tlsAuthorities } = kit;
  const ofProxies = tlsAuthorities.length === 0 ? rootCertificates : tlsAuthorities.map(toPem);
  if (server !== undefined) requireMode(server, configuration.security);
  const addresses = server === undefined ? configuration.server.addresses : [server];
  const connectors = addresses.map((url) => {
    const proxy = proxyOf?.(url);
    return webSocketConnector({
      url,
      ca: [toPem(root.der), ...ofProxies],
      // Where the project does not demand it an ingress may: it is presented to whoever asks.
      ...(configuration.security === "clear" ? {} : { clientCertificate: tls }),
      ...(proxy === undefined ? {} : { proxy: parseProxy(proxy) }),
    });
  });
  return { connect: (signal) => connectFirst(connectors, signal) };
}

/** Whoever types an address must not turn TLS off, nor believe it on: the kit says how this participant connects. */
function requireMode(server: string, security: ConnectionSecurity): void {
  const scheme = /^(wss?):\/\//.exec(server)?.[1];
  if (scheme === undefined || !URL.canParse(server)) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `expected an address such as wss://host:8443/ws, got ${server}`,
    );
  }
  const expected = security === "clear" ? "ws" : "wss";
  if (scheme === expected) return;
  throw new WireError(
    "ERR_TLS_MODE",
    `the kit says ${security}, which is ${expected}:, and ${server} is not`,
  );
}

function toPem(der: Bytes): string {
  return pem("CERTIFICATE", der);
}

async function connectFirst(connectors: readonly Connector[], signal: AbortSignal): Promise<Connection> {
  const refusals: WireError[] = [];
  for (const connector of connectors) {
    try {
      return await connector.connect(signal);
    } catch (error) {
      if (!(error instanceof WireError) || error.code !== "ERR_CONNECTION_REFUSED") throw error;
      refusals.push(error);
    }
  }
  const text = refusals.map(({ message }) => message).join("; ");
  const asked = refusals.flatMap(({ retryAfterMs = [] }) => retryAfterMs);
  // The first of them that wants to be asked again is worth an attempt.
  const retryAfterMs = asked.length === 0 ? undefined : Math.min(...asked);
  throw new WireError("ERR_CONNECTION_REFUSED", text, { retryAfterMs });
}
