import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { type ProxyTrust, plainAddress } from "./client-address.ts";

/** Header in which a proxy that ended TLS hands on the client's certificate: PEM, percent-encoded. */
const HEADER = "x-ssl-client-cert";

/**
 * The certificate, DER, that a trusted proxy says to have seen. It admits nobody, as whoever runs the proxy could
 * write anything: it can only contradict the handshake. From everybody else the header is not even read.
 *
 * @returns undefined where no trusted proxy names one
 * @throws HostError `ERR_UPGRADE_REFUSED` when a trusted proxy sends something that is no certificate
 */
export function forwardedLeafOf(
  { socket, headers }: IncomingMessage,
  { proxies }: ProxyTrust,
): Bytes | undefined {
  const text = [headers[HEADER] ?? []].flat().join(",");
  if (text === "" || !proxies.includes(plainAddress(socket.remoteAddress ?? "unknown"))) return undefined;
  try {
    return toBytes(new X509Certificate(decodeURIComponent(text)).raw);
  } catch (cause) {
    throw new HostError("ERR_UPGRADE_REFUSED", `${HEADER} of the proxy holds no certificate`, { cause });
  }
}
