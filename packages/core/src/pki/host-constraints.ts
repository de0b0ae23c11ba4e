const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** True for labels of letters, digits, dashes and underscores, joined by dots, 253 characters in all. */
export function isHostName(text: string): boolean {
  const labels = text.toLowerCase().split(".");
  return text.length <= 253 && labels.every((label) => LABEL.test(label));
}

/** True for `*.` before a host name (RFC 9525, section 6.3). */
function isWildcard(text: string): boolean {
  return text.startsWith("*.") && isHostName(text.slice(2));
}

/**
 * RFC 5280, section 4.2.1.10, dNSName: the host itself and all with more labels to the left; all hosts when empty.
 * `undefined` for what is no host name.
 */
export function isHostWithin(host: string, base: string): boolean | undefined {
  if (!isHostName(host) && !isWildcard(host)) return undefined;
  return base === "" || isSame(host, base) || endsWithLabels(host, base);
}

/** True when hosts that a wildcard stands for may lie within the base, though the wildcard itself does not. */
export function mayWildcardReach(host: string, base: string): boolean {
  return isWildcard(host) && endsWithLabels(base, host.slice(2));
}

/**
 * RFC 5280, section 4.2.1.10, rfc822Name: one mailbox, all mailboxes of a host, or with a leading dot of all hosts in a
 * domain. `undefined` for what is no address.
 */
export function isMailWithin(address: string, base: string): boolean | undefined {
  const at = address.lastIndexOf("@");
  const host = address.slice(at + 1);
  if (at < 1 || !isHostName(host)) return undefined;
  if (base === "") return true;
  const baseAt = base.lastIndexOf("@");
  if (baseAt < 0) return isHostOrDomain(host, base);
  return address.slice(0, at) === base.slice(0, baseAt) && isSame(host, base.slice(baseAt + 1));
}

/**
 * RFC 5280, section 4.2.1.10, uniformResourceIdentifier: one host, or with a leading dot all hosts in a domain.
 * `undefined` for a URI without a host by name, which the section has us refuse wherever URIs are constrained.
 */
export function isUriWithin(uri: string, base: string): boolean | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1];
  const host = authority?.replace(/^.*@/, "").replace(/:\d*$/, "") ?? "";
  const isAddress = /^[\d.]+$/.test(host);
  if (!isHostName(host) || isAddress) return undefined;
  return base === "" || isHostOrDomain(host, base);
}

/** With a leading dot any host below, without one exactly the host. */
function isHostOrDomain(host: string, base: string): boolean {
  return base.startsWith(".") ? endsWithLabels(host, base.slice(1)) : isSame(host, base);
}

function endsWithLabels(host: string, base: string): boolean {
  return host.toLowerCase().endsWith(`.${base.toLowerCase()}`);
}

function isSame(host: string, base: string): boolean {
  return host.toLowerCase() === base.toLowerCase();
}
