import { equalBytes } from "@photinus/core/bytes";
import { WireError } from "@photinus/core/errors";
import type { Participant } from "@photinus/core/pki";
import type { ConnectionSecurity } from "@photinus/core/provision";
import type { TransportPeer } from "../http/federation.ts";

/**
 * Where a project demands TLS on both sides, the certificate of the line must be the one of the handshake. Pages have
 * no TLS certificate: they enrolled, which their chain through the enrolment CA shows, and are let in by the handshake
 * alone.
 *
 * @throws WireError `ERR_AUTH_FAILED`
 */
export function requireTlsPeer(
  { name, chain, leafDigest }: Participant,
  { tlsLeafDigest }: TransportPeer,
  security: ConnectionSecurity,
): void {
  const hasEnrolled = chain.length > 1;
  if (security !== "mtls" || hasEnrolled) return;
  if (tlsLeafDigest === undefined) {
    throw new WireError("ERR_AUTH_FAILED", `${name} must present its certificate to TLS as well`);
  }
  if (!equalBytes(tlsLeafDigest, leafDigest)) {
    throw new WireError("ERR_AUTH_FAILED", `${name} presented another certificate to TLS`);
  }
}
