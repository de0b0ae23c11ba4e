import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { WireError } from "@photinus/core/errors";
import { explainRefusal } from "./connection-refusal.ts";
import type { HttpProxy } from "./proxy.ts";

/** Where a tunnel ends. */
export interface TunnelTarget {
  /** Host name or address. */
  readonly host: string;
  /** Port. */
  readonly port: number;
}

function authorityOf({ host, port }: TunnelTarget): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Asks a proxy for a tunnel. The proxy sees host and port of the server, and then what an ingress sees.
 *
 * @param signal gives up; its reason is thrown
 * @throws WireError `ERR_CONNECTION_REFUSED` that says whether the proxy cannot be reached, wants a password, or does not
 *   reach the server
 */
export function openTunnel(target: TunnelTarget, proxy: HttpProxy, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const authority = authorityOf(target);
    const { host, port, authorization } = proxy;
    const request = (proxy.secure ? httpsRequest : httpRequest)({
      host,
      port,
      method: "CONNECT",
      path: authority,
      agent: false,
      signal,
      headers: {
        Host: authority,
        ...(authorization === undefined ? {} : { "Proxy-Authorization": authorization }),
      },
    });
    request.once("connect", ({ statusCode = 0 }, socket: Socket, head) => {
      const refusal = refusalOf(statusCode, head.byteLength, { authority, proxy });
      if (refusal === undefined) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new WireError("ERR_CONNECTION_REFUSED", refusal));
    });
    // Stays: a request that is given up may report more than one error.
    request.on("error", (cause) => {
      if (signal.aborted) reject(signal.reason);
      else reject(new WireError("ERR_CONNECTION_REFUSED", explainRefusal(nameOf(proxy), cause), { cause }));
    });
    request.end();
  });
}

/** For people, without what is secret of it. */
function nameOf(proxy: HttpProxy): string {
  return `the proxy ${authorityOf(proxy)}`;
}

function refusalOf(
  status: number,
  earlyBytes: number,
  { authority, proxy }: { readonly authority: string; readonly proxy: HttpProxy },
): string | undefined {
  const name = nameOf(proxy);
  if (status === 407) {
    return proxy.authorization === undefined
      ? `${name} wants a name and a password: http://name:password@host:port`
      : `${name} does not accept this name and password (HTTP 407)`;
  }
  if (status === 403) return `${name} does not allow connections to ${authority} (HTTP 403)`;
  if (status === 502 || status === 503 || status === 504) {
    return `${name} does not reach ${authority} (HTTP ${status})`;
  }
  if (status < 200 || status > 299)
    return `${name} answered HTTP ${status} instead of a tunnel to ${authority}`;
  // The server speaks second: whatever comes now is not the server's.
  return earlyBytes > 0 ? `${name} sent something of its own into the tunnel` : undefined;
}
