import { type Bytes, concatBytes } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";

/** Limits of {@link limitedFetch}. */
export interface FetchLimits {
  /** Most bytes of an answer. */
  readonly bytes: number;
  /** Longest time from the request to the last byte, ms. */
  readonly timeoutMs: number;
}

/** How a request is made: what of `fetch`'s own options is used here. */
export interface FetchRequest {
  /** A form, or nothing. */
  readonly body?: URLSearchParams | undefined;
  /** Header fields. */
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  /** Default GET. */
  readonly method?: string | undefined;
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `fetch` for answers of strangers: https only, but on this machine; no redirects; an answer over the limit or later than
 * the limit is none.
 *
 * @throws HostError `ERR_CONFIG_INVALID` for another address, RangeError for an answer over the limit, what `fetch` throws
 */
export function limitedFetch({ bytes, timeoutMs }: FetchLimits) {
  return async (address: string | URL, request: FetchRequest = {}): Promise<Response> => {
    const { body: form = null, headers: fields = {}, method = "GET", signal } = request;
    const late = AbortSignal.timeout(timeoutMs);
    const response = await fetch(requireSecureUrl(String(address)), {
      body: form,
      headers: new Headers(fields),
      method,
      redirect: "error",
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    });
    const body = await readUpTo(response, bytes);
    const { status, statusText, headers } = response;
    const isEmpty = status === 204 || status === 205 || status === 304;
    return new Response(isEmpty ? null : body, { status, statusText, headers });
  };
}

/**
 * An address that nobody on the way can answer for: https, or http on this machine; without user, password and fragment.
 * @throws HostError `ERR_CONFIG_INVALID`
 */
export function requireSecureUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSecure =
    url !== undefined &&
    (url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url.hostname))) &&
    url.username === "" &&
    url.password === "" &&
    url.hash === "";
  if (isSecure) return url;
  throw new HostError(
    "ERR_CONFIG_INVALID",
    `expected an https address, or http on this machine, not ${text}`,
  );
}

function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The limit holds while the bytes come: what they unpack to counts, not what a header says. */
async function readUpTo(response: Response, limit: number): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.byteLength;
    if (length > limit) throw new RangeError(`an answer of more than ${limit} bytes`);
    parts.push(part);
  }
  return concatBytes(...parts);
}
