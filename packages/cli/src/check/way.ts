import { isIP, type Socket } from "node:net";
import { rootCertificates } from "node:tls";
import { decodePem } from "@photinus/core/pki";
import { KIT_FILE } from "@photinus/core/provision";
import type { Session } from "@photinus/core/session";
import { type HttpProxy, openTunnel, parseProxy, pem } from "@photinus/node-platform";
import type { Finding } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** The way to one address of the server. */
export interface Way {
  readonly subject: Subject;
  /** Address of the socket, such as `wss://host:8443/ws`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly proxy: HttpProxy | undefined;
  /** Roots that TLS of the server may end at, PEM. */
  readonly authorities: readonly string[];
  /** Seconds that a session is held to see whether an ingress ends it; absent: not looked at. */
  readonly idleSeconds: number | undefined;
  /** What earlier probes of this way found out. */
  readonly facts: WayFacts;
}

/** Found out on the way, for the probes that follow. */
export interface WayFacts {
  /** The session that was opened. */
  session?: Session;
  /** Server clock minus local clock by a header of HTTP, which nobody has authenticated, in ms. */
  dateOffsetMs?: number;
}

/** Looks at one step of the way to the server. After a failure the steps behind it are skipped. */
export interface WayProbe {
  readonly name: string;
  readonly run: (way: Way) => Promise<Finding>;
  /** True: also looked at when an earlier step failed. */
  readonly isAlways?: boolean;
}

/** What a step may take, in ms. */
export const STEP_MS = 10_000;

/** How an address is reached. @throws HostError `ERR_CONFIG_INVALID` when the proxy's address is none */
export function wayTo(
  url: string,
  subject: Subject,
  { proxy, idleSeconds }: { readonly proxy: string | undefined; readonly idleSeconds: number | undefined },
): Way {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === "wss:";
  const root = subject.kit?.root.der;
  const ofProxies = pemsOf(subject);
  return {
    ...{ subject, url, isSecure, idleSeconds, facts: {} },
    host: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    proxy: proxy === undefined ? undefined : parseProxy(proxy),
    authorities: [
      ...(root === undefined ? [] : [pem("CERTIFICATE", root)]),
      ...(ofProxies.length === 0 ? rootCertificates : ofProxies),
    ],
  };
}

/** CAs of proxies that the kit carries. */
function pemsOf({ files, kit }: Subject): readonly string[] {
  const text = kit === undefined ? undefined : files.get(KIT_FILE.tlsAuthorities);
  return text === undefined ? [] : decodePem("CERTIFICATE", text).map((der) => pem("CERTIFICATE", der));
}

/** Gives up when the command is interrupted, or the step takes too long. */
export function stepSignal({ subject }: Way): AbortSignal {
  return AbortSignal.any([subject.signal, AbortSignal.timeout(STEP_MS)]);
}

/** The tunnel of the proxy, where there is one. */
export function tunnelOf(way: Way): Promise<Socket> | undefined {
  return way.proxy === undefined ? undefined : openTunnel(way, way.proxy, stepSignal(way));
}

/** Name for SNI: an address is none (RFC 6066, section 3). */
export function sniOf({ host }: Way): string {
  return isIP(host) === 0 ? host : "";
}
