import type { Bytes } from "@photinus/core/bytes";
import { WireError } from "@photinus/core/errors";
import { isSameCertificate, type Participant } from "@photinus/core/pki";
import type { TransportPeer } from "../http/federation.ts";

/** A chain without a leaf, which no participant has, is no certificate of anybody. */
const NONE: Bytes = new Uint8Array(0);

/**
 * [W-170] Who was provisioned for TLS on both sides, as its certificate says, is admitted only when the certificate of
 * the line is the one of the handshake: behind an ingress only where that passes TLS through. What a proxy says that it
 * saw never stands for it, but where a trusted proxy speaks of another certificate the two contradict each other.
 *
 * @throws WireError `ERR_TLS_MODE`
 */
export function requireTlsPeer(
  { name, mutualTls, chain: [leaf = NONE] }: Participant,
  { tlsLeaf, forwardedLeaf }: TransportPeer,
): void {
  if (forwardedLeaf !== undefined && !isSameCertificate(forwardedLeaf, leaf)) {
    throw new WireError("ERR_TLS_MODE", `the proxy saw another certificate than that of ${name}`);
  }
  if (!mutualTls) return;
  if (tlsLeaf === undefined) {
    throw new WireError(
      "ERR_TLS_MODE",
      `${name} was provisioned for mtls, and no certificate of its own reached the TLS of the server`,
    );
  }
  if (!isSameCertificate(tlsLeaf, leaf)) {
    throw new WireError("ERR_TLS_MODE", `${name} presented another certificate to TLS`);
  }
}
