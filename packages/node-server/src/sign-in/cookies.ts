/** A cookie of the pages. */
export interface PageCookie {
  readonly name: "session" | "sign-in" | "join-sign-in";
  readonly value: string;
  /** Seconds; 0 deletes it. Absent: as long as the browser is open. */
  readonly maxAgeS?: number;
}

/**
 * A `Set-Cookie` field. No script reads it. On https the name begins with `__Host-`, so that no other host and no page in
 * clear can set it (RFC 6265bis, section 4.1.3.2). They go with requests of the own pages only; but what a sign-in on
 * the dashboard brings back has to come along with the provider's redirect, which is another site's.
 */
export function setCookie({ name, value, maxAgeS }: PageCookie, isSecure: boolean): string {
  const sameSite = name === "sign-in" ? "Lax" : "Strict";
  const parts = [`${cookieName(name, isSecure)}=${value}`, "Path=/", "HttpOnly", `SameSite=${sameSite}`];
  if (isSecure) parts.push("Secure");
  if (maxAgeS !== undefined) parts.push(`Max-Age=${maxAgeS}`);
  return parts.join("; ");
}

/** The value of a cookie; `undefined` when it is not there, twice there, or holds what we never write. */
export function readCookie(
  header: string | null | undefined,
  name: PageCookie["name"],
  isSecure: boolean,
): string | undefined {
  const wanted = `${cookieName(name, isSecure)}=`;
  const found = (header ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(wanted));
  const [only, ...more] = found;
  const value = only?.slice(wanted.length) ?? "";
  return more.length === 0 && /^[A-Za-z0-9._-]{1,4096}$/.test(value) ? value : undefined;
}

function cookieName(name: PageCookie["name"], isSecure: boolean): string {
  return `${isSecure ? "__Host-" : ""}photinus-${name}`;
}
