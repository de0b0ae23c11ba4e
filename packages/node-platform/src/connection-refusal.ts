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
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's TLS certificate is for another name",
};

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return inner === undefined ? undefined : codeOf(inner);
}

/** One line that says why no connection came about. */
export function explainRefusal(url: string, error: unknown): string {
  const code = codeOf(error);
  const known = code === undefined ? undefined : CAUSES[code];
  const text = error instanceof Error ? error.message : String(error);
  return `${url}: ${known === undefined ? text : `${known} (${code})`}`;
}

/** One line that says what answered instead of a WebSocket. */
export function explainResponse(url: string, response: IncomingMessage): string {
  const status = response.statusCode ?? 0;
  const retryAfter = response.headers["retry-after"];
  const answered = `${url} answered HTTP ${status}`;
  if (status >= 300 && status < 400) return `${answered}: redirects are not followed, use the final address`;
  if (status === 404) return `${answered}: no Photinus server at that path`;
  if (status === 429 || status === 503) {
    return `${answered}: the server is busy${retryAfter === undefined ? "" : `, retry after ${retryAfter} s`}`;
  }
  if (status >= 400) return `${answered} instead of a WebSocket upgrade`;
  return `${answered}: reached an HTTP server, but no WebSocket upgrade: check the proxy's Upgrade headers`;
}
