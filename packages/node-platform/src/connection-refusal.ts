import type { IncomingMessage } from "node:http";

/** What the system's and TLS's error codes mean for a person who tries to connect. */
const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at that address and port",
  ECONNRESET: "the other side reset the connection",
  EHOSTUNREACH: "there is no route to that address",
  ENETUNREACH: "there is no network to that address",
  ENOTFOUND: "DNS does not know that name",
  EAI_AGAIN: "DNS did not answer",
  ETIMEDOUT: "nothing answered in time",
  EPROTO: "the other side does not speak TLS at that port: use ws:, or check the port",
  ERR_SSL_WRONG_VERSION_NUMBER: "the other side does not speak TLS at that port: use ws:, or check the port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    "the other side does not speak TLS at that port: use ws:, or check the port",
  CERT_HAS_EXPIRED: "the server's TLS certificate has expired",
  CERT_NOT_YET_VALID: "the server's TLS certificate is not valid yet: check the clocks",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's TLS certificate is not issued by a trusted root",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's TLS certificate is not issued by a trusted root",
  UNABLE_TO_GET_ISSUER_CERT: "the server's TLS certificate is not issued by a trusted root",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's TLS certificate is not issued by a trusted root",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's TLS certificate is not issued by a trusted root",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "the server wants a TLS certificate: connect with that of a kit",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    "the server does not know the issuer of this TLS certificate: use the kit of its project",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: "the server does not accept this TLS certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: "the server does not accept this TLS certificate",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: "this side's TLS certificate has expired",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: "this side's TLS certificate was revoked",
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "certificate and private key for TLS do not belong together",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the other side speaks no TLS of version 1.2 or later",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the other side speaks no TLS of version 1.2 or later",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's TLS certificate is for another name",
};

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return inner === undefined ? undefined : codeOf(inner);
}

/** Node's TLS says nothing to a client whose certificate it does not take: it hangs up. */
const RESET_BY_TLS =
  "the other side reset the connection; where it wants a TLS certificate, it may not accept this one";

function meaningOf(code: string, url: string): string | undefined {
  return code === "ECONNRESET" && url.startsWith("wss:") ? RESET_BY_TLS : CAUSES[code];
}

/** One line that says why no connection came about. */
export function explainRefusal(url: string, error: unknown): string {
  const code = codeOf(error);
  const known = code === undefined ? undefined : meaningOf(code, url);
  const text = error instanceof Error ? error.message : String(error);
  return `${url}: ${known === undefined ? text : `${known} (${code})`}`;
}

/** Nobody has authenticated the answer: it puts the next attempt off by a minute at most. */
const LONGEST_RETRY_S = 60;

/** When the server wants to be asked again, ms: `Retry-After` in seconds (RFC 9110, 10.2.3), with 429 and 503 only. */
export function retryAfterMs({ statusCode, headers }: IncomingMessage): number | undefined {
  const text = headers["retry-after"];
  if ((statusCode !== 429 && statusCode !== 503) || text === undefined) return undefined;
  return /^\d{1,9}$/.test(text) ? Math.min(LONGEST_RETRY_S, Number(text)) * 1000 : undefined;
}

/** What statuses mean where a WebSocket was asked for. */
const STATUSES: Readonly<Record<number, string>> = {
  400: "instead of a WebSocket upgrade: a proxy there may want a TLS certificate, or speak TLS itself",
  401: "instead of a WebSocket upgrade: something before the server wants a sign-in of its own",
  403: "instead of a WebSocket upgrade: a proxy or firewall before the server does not let this through",
  404: "no Photinus server at that path",
  407: "a proxy on the way wants a name and a password",
  426: "reached the server, but the upgrade was lost on the way: check the proxy's Upgrade headers",
  502: "the proxy there does not reach the server behind it",
  504: "the server behind the proxy there did not answer in time",
};

/** One line that says what answered instead of a WebSocket. */
export function explainResponse(url: string, response: IncomingMessage): string {
  const status = response.statusCode ?? 0;
  return `${url} answered HTTP ${status}${whoAnswered(response)}: ${meaningOfStatus(status, response)}`;
}

function meaningOfStatus(status: number, { headers }: IncomingMessage): string {
  if (status >= 300 && status < 400) return "redirects are not followed, use the final address";
  const retryAfter = headers["retry-after"];
  if (status === 429 || status === 503) {
    return `the server is busy${retryAfter === undefined ? "" : `, retry after ${retryAfter} s`}`;
  }
  const known = STATUSES[status];
  if (known !== undefined) return known;
  if (status >= 400) return "instead of a WebSocket upgrade";
  return "reached an HTTP server, but no WebSocket upgrade: check the proxy's Upgrade headers";
}

/** Our server answers in JSON: a page, and the name of another program, are signs of a proxy. */
function whoAnswered({ headers }: IncomingMessage): string {
  const isPage = headers["content-type"]?.startsWith("text/html") === true;
  const program = /^[A-Za-z0-9._/-]{1,40}/.exec(String(headers["server"] ?? ""))?.[0];
  const named = program === undefined ? "" : ` of ${program}`;
  return isPage ? ` with a page${named}` : named;
}
