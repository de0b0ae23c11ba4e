import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { SigningKey } from "../platform/index.ts";
import { plainParticipant } from "./certified-participant.ts";
import type { Identity } from "./identity.ts";
import { type ChainExpectations, type ChainModules, verifyChain } from "./verify-chain.ts";

/** The parts of a participant's own identity, as a kit or a page's storage holds them. */
export interface IdentityParts {
  /** Own certificates, DER, leaf first. */
  readonly chain: readonly Bytes[];
  /** Private key of the leaf. */
  readonly signingKey: SigningKey;
}

/**
 * Verifies one's own certificate as a peer would, so that a wrong kit is found at the start.
 * @throws PkiError as `verifyChain`; `ERR_KEY_UNREADABLE` when the key is not the certificate's
 */
export async function loadIdentity(
  { chain, signingKey }: IdentityParts,
  expectations: Omit<ChainExpectations, "usage">,
  modules: ChainModules,
): Promise<Identity> {
  const { participant, publicKey } = await verifyChain(chain, { ...expectations, usage: "signer" }, modules);
  if (!equalBytes(publicKey, signingKey.publicKey)) {
    throw new PkiError("ERR_KEY_UNREADABLE", "the private key does not belong to the certificate");
  }
  return { participant: plainParticipant(participant), signingKey };
}
