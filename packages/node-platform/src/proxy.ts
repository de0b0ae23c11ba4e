import { isIP } from "node:net";
import { HostError } from "@photinus/core/errors";

/** An HTTP proxy that opens tunnels (CONNECT, RFC 9110, section 9.3.6). */
export interface HttpProxy {
  /** Host name or address. */
  readonly host: string;
  /** Port. */
  readonly port: number;
  /** True: the proxy itself is spoken to by TLS. */
  readonly secure: boolean;
  /** Value of Proxy-Authorization, Basic (RFC 7617). A secret: it is in no message and no log. */
  readonly authorization: string | undefined;
}

/**
 * The proxy at an address such as `http://name:password@proxy.example:3128`.
 * @throws HostError `ERR_CONFIG_INVALID`; the address is not repeated, it may hold a password
 */
export function parseProxy(address: string): HttpProxy {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isProxy =
    url !== undefined && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "";
  if (!isProxy || (url.pathname !== "/" && url.pathname !== "") || url.search !== "") {
    throw new HostError("ERR_CONFIG_INVALID", "a proxy is given as http://host:port or https://host:port");
  }
  const secure = url.protocol === "https:";
  return {
    host: withoutBrackets(url.hostname),
    port: url.port === "" ? (secure ? 443 : 80) : Number(url.port),
    secure,
    authorization: authorizationOf(url),
  };
}

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`;
  } catch {
    // No cause: it would repeat the text.
    throw new HostError("ERR_CONFIG_INVALID", "name and password of a proxy are percent-encoded");
  }
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** What {@link proxyFromEnvironment} reads: `process.env`. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address: HTTPS_PROXY for `wss:`, HTTP_PROXY for `ws:`, in lower case first, unless
 * NO_PROXY names the host (`example.org` and everything under it, `host:port`, or `*`). This machine is never reached by a proxy.
 *
 * @param url `ws:` or `wss:` address of the server
 * @returns address of the proxy, as {@link parseProxy} takes it
 */
export function proxyFromEnvironment(url: string, environment: ProxyEnvironment): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const host = withoutBrackets(hostname).toLowerCase();
  const variable = protocol === "wss:" ? "https_proxy" : "http_proxy";
  const proxy = setting(environment, variable);
  if (proxy === undefined || isLoopback(host)) return undefined;
  const exceptions = (setting(environment, "no_proxy") ?? "").toLowerCase().split(/[\s,]+/);
  const portOrDefault = port === "" ? (protocol === "wss:" ? "443" : "80") : port;
  return exceptions.some((entry) => isNamed(entry, host, portOrDefault)) ? undefined : proxy;
}

function setting(environment: ProxyEnvironment, name: string): string | undefined {
  const value = environment[name] ?? environment[name.toUpperCase()];
  return value === "" ? undefined : value;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function isNamed(entry: string, host: string, port: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  const [, name = entry, wantedPort] = /^(.*?):(\d+)$/.exec(entry) ?? [];
  if (isIP(entry) === 6) return entry === host;
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const suffix = name.replace(/^\*?\./, "");
  return host === suffix || host.endsWith(`.${suffix}`);
}
