import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, VerifyingKey } from "../platform/index.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { ChainCache } from "./chain-cache.ts";
import { PHOTINUS_PATH_RULES, type RevocationSource } from "./path-rules.ts";
import { algorithmOf } from "./public-key.ts";
import { validatePath } from "./validate-path.ts";

/** A chain whose signatures lead to the pinned root. */
export interface VerifiedPath {
  /** The holder's certificate. */
  readonly leaf: Certificate;
  /** The CAs between leaf and root, the leaf's issuer first. */
  readonly authorities: readonly Certificate[];
  /** The pinned root. */
  readonly root: Certificate;
  /** The leaf's key, ready to verify with. */
  readonly verifyingKey: VerifyingKey;
  /** From when on all certificates are valid, ms since 1970. */
  readonly notBeforeMs: number;
  /** Until when all certificates are valid, ms since 1970. */
  readonly notAfterMs: number;
  /** Until when the revocation lists that name none of them are to be believed, ms since 1970. */
  readonly statusUntilMs: number;
}

/** What {@link verifyPath} works with. */
export interface PathModules {
  /** Hashes and verifies. */
  readonly crypto: CryptoProvider;
  /** Spares parsing the root and CAs that were seen before, and verifying these. */
  readonly cache?: ChainCache;
  /** Where revocation is asked for; without it no certificate counts as revoked. */
  readonly revocation?: RevocationSource;
}

/**
 * Step one of protocol, section 8: parses the chain and validates its path under the rules of Photinus.
 *
 * @param chain DER, leaf first, without the root
 * @throws PkiError
 */
export async function verifyPath(
  chain: readonly Bytes[],
  { root: rootDer, nowMs }: { readonly root: Bytes; readonly nowMs: number },
  { crypto, cache, revocation }: PathModules,
): Promise<VerifiedPath> {
  const rules = PHOTINUS_PATH_RULES;
  if (chain.length >= rules.maximumDepth) {
    throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", `chain of ${chain.length} certificates without the root`);
  }
  const parse = async (der: Bytes): Promise<Certificate> =>
    cache?.authority(der) ?? (await parseCertificate(der, { crypto }));
  const root = await parse(rootDer);
  const certificates: Certificate[] = [];
  for (const der of chain) certificates.push(await parse(der));
  const { path, ...valid } = await validatePath(
    certificates,
    {
      ...{ anchor: root, rules, nowMs, revocation },
      ...(cache && { isIssued: (certificate, issuer) => cache.isIssued(certificate, issuer) }),
    },
    { crypto },
  );
  const [leaf, ...authorities] = path;
  if (leaf === undefined) throw new RangeError("unreachable: an empty path is not valid");
  const verifyingKey = await crypto.importVerifyingKey(leaf.publicKey.spki, algorithmOf(leaf.publicKey));
  return { leaf, authorities, root, verifyingKey, ...valid };
}
