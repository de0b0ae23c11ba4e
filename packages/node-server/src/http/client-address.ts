import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

/** A socket as far as its peer is concerned. */
export interface AddressedSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** Which proxies are believed, and what they have said. */
export interface ProxyTrust {
  /** Addresses of proxies. */
  readonly proxies: readonly string[];
  /** Whom a proxy has announced by the PROXY protocol on a connection. Absent: the protocol is not spoken. */
  readonly announcedOf?: (socket: AddressedSocket) => string | undefined;
}

/** Address that limits count the sockets of: the announced one, or that of the peer. Never an identity. */
export function socketAddress(socket: AddressedSocket, { announcedOf }: ProxyTrust): string {
  return announcedOf?.(socket) ?? plainAddress(socket.remoteAddress ?? "unknown");
}

/**
 * Address that limits count by. `X-Forwarded-For` is believed only when the socket's peer is a configured proxy, and
 * then only its last entry, which that proxy wrote; the rest is the client's own invention. Never an identity.
 */
export function clientAddress({ socket, headers }: IncomingMessage, trust: ProxyTrust): string {
  const peer = socketAddress(socket, trust);
  if (!trust.proxies.includes(peer)) return peer;
  const forwarded = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",").at(-1)?.trim();
  return forwarded === undefined || forwarded === "" || forwarded.length > 64
    ? peer
    : plainAddress(forwarded);
}

/** An address of a socket; IPv4 in its own form, where the socket is a dual one. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/** What limits count by: an IPv4 address, or the first 64 bits of an IPv6 address, since whoever has one has them all. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address; // the test of IPv6 takes longer than all else here
  const [text = ""] = address.split("%");
  if (!isIPv6(text)) return address;
  const [head = "", tail] = text.split("::");
  const groupsOf = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

/**
 * True when a request comes from this machine itself: not by a proxy that runs here and was not configured, and not
 * from a page of another name that DNS has led here.
 */
export function isLocalRequest(request: IncomingMessage, trust: ProxyTrust): boolean {
  const { forwarded, host = "" } = request.headers;
  const isForwarded = forwarded !== undefined || request.headers["x-forwarded-for"] !== undefined;
  const isTrusted = trust.proxies.includes(plainAddress(request.socket.remoteAddress ?? "unknown"));
  if (isForwarded && !isTrusted) return false;
  return isLoopback(clientAddress(request, trust)) && isLoopback(host.replace(/:\d+$/, ""));
}

/** True for the addresses and the name of this machine itself. */
export function isLoopback(host: string): boolean {
  return (
    host === "localhost" || host === "::1" || host === "[::1]" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host)
  );
}
