/** A cookie of the dashboard. */
export interface DashboardCookie {
  readonly name: "session" | "sign-in";
  readonly value: string;
  /** Seconds; 0 deletes it. Absent: as long as the browser is open. */
  readonly maxAgeS?: number;
}

/**
 * A `Set-Cookie` field. No script reads it. On https the name begins with `__Host-`, so that no other host and no page in
 * clear can set it (RFC 6265bis, section 4.1.3.2). The session goes with requests of the own pages only; what a sign-in
 * brings back has to come along with the provider's redirect, which is another site's.
 */
export function setCookie({ name, value, maxAgeS }: DashboardCookie, isSecure: boolean): string {
  const sameSite = name === "session" ? "Strict" : "Lax";
  const parts = [`${cookieName(name, isSecure)}=${value}`, "Path=/", "HttpOnly", `SameSite=${sameSite}`];
  if (isSecure) parts.push("Secure");
  if (maxAgeS !== undefined) parts.push(`Max-Age=${maxAgeS}`);
  return parts.join("; ");
}

/** The value of a cookie; `undefined` when it is not there, twice there, or holds what we never write. */
export function readCookie(
  header: string | null | undefined,
  name: DashboardCookie["name"],
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

function cookieName(name: DashboardCookie["name"], isSecure: boolean): string {
  return `${isSecure ? "__Host-" : ""}photinus-${name}`;
}
