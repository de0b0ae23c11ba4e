import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";

/**
 * Address that limits count by. `X-Forwarded-For` is believed only when the socket's peer is a configured proxy, and
 * then only its last entry, which that proxy wrote; the rest is the client's own invention. Never an identity.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: readonly string[]): string {
  const peer = plainAddress(request.socket.remoteAddress ?? "unknown");
  if (!trustedProxies.includes(peer)) return peer;
  const forwarded = [request.headers["x-forwarded-for"] ?? []].flat().join(",").split(",").at(-1)?.trim();
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
export function isLocalRequest(request: IncomingMessage, trustedProxies: readonly string[]): boolean {
  const { forwarded, host = "" } = request.headers;
  const isForwarded = forwarded !== undefined || request.headers["x-forwarded-for"] !== undefined;
  const isTrusted = trustedProxies.includes(plainAddress(request.socket.remoteAddress ?? "unknown"));
  if (isForwarded && !isTrusted) return false;
  return isLoopback(clientAddress(request, trustedProxies)) && isLoopback(host.replace(/:\d+$/, ""));
}

/** True for the addresses and the name of this machine itself. */
export function isLoopback(host: string): boolean {
  return (
    host === "localhost" || host === "::1" || host === "[::1]" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host)
  );
}
