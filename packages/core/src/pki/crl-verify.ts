import { equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { type Certificate, isOtherKey } from "./certificate.ts";
import type { RevocationList } from "./crl.ts";
import { PHOTINUS_PATH_RULES } from "./path-rules.ts";
import { isSignedBy } from "./signed-value.ts";

/**
 * Proves that a CA issued a list: its name, its key identifier, its right to sign lists, its signature, by the same
 * algorithms as certificates. Whether the list is current is another question: see `requireCurrent`.
 *
 * @param issuer certificate of the CA, which the caller trusts
 * @throws PkiError `ERR_CRL_UNTRUSTED`, `ERR_CERTIFICATE_UNSUPPORTED` for an algorithm
 */
export async function verifyRevocationList(
  list: RevocationList,
  issuer: Certificate,
  modules: { readonly crypto: CryptoProvider },
): Promise<void> {
  const isOther = isOtherKey(list.authorityKeyIdentifier, issuer);
  if (isOther || !equalBytes(list.issuer.der, issuer.subject.der)) {
    throw new PkiError("ERR_CRL_UNTRUSTED", "the revocation list is of another issuer");
  }
  if (!issuer.extensions.keyUsage?.has("cRLSign")) {
    throw new PkiError("ERR_CRL_UNTRUSTED", "the issuer may not sign revocation lists");
  }
  if (!(await isAuthentic(list, issuer, modules))) {
    throw new PkiError("ERR_CRL_UNTRUSTED", "the signature of the revocation list does not verify");
  }
}

/** A signature that is not in DER verifies for nobody. */
async function isAuthentic(
  list: RevocationList,
  { publicKey: key }: Certificate,
  modules: { readonly crypto: CryptoProvider },
): Promise<boolean> {
  try {
    return await isSignedBy(list, { key, schemes: PHOTINUS_PATH_RULES.schemes }, modules);
  } catch (error) {
    if (error instanceof PkiError && error.code === "ERR_CERTIFICATE_SIGNATURE") return false;
    throw error;
  }
}

/**
 * @throws PkiError `ERR_CRL_STALE` when its successor was due before `nowMs`, or it is of the future
 */
export function requireCurrent(list: RevocationList, nowMs: number): void {
  const { thisUpdateMs, nextUpdateMs, number } = list;
  if (nowMs > nextUpdateMs) {
    const due = new Date(nextUpdateMs).toISOString();
    throw new PkiError("ERR_CRL_STALE", `the successor of revocation list ${number} was due at ${due}`);
  }
  if (nowMs < thisUpdateMs) {
    const from = new Date(thisUpdateMs).toISOString();
    throw new PkiError("ERR_CRL_STALE", `revocation list ${number} is valid from ${from} on`);
  }
}
