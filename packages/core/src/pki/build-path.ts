import { equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { type Certificate, isOtherKey } from "./certificate.ts";
import { isSameName } from "./distinguished-name.ts";
import { type PathConditions, type ValidPath, validatePath } from "./validate-path.ts";

/** What a path may be built of. */
export interface PathMaterial extends PathConditions {
  /** CAs in any order, some of which may lead from the holder to the anchor. */
  readonly authorities: readonly Certificate[];
}

// Many CAs of one name, which issued one another, could otherwise be combined without end.
/** Paths that are validated. */
const MAX_ATTEMPTS = 64;
/** Certificates that are compared with what is looked for. */
const MAX_COMPARISONS = 4096;

/**
 * Finds a valid path from a certificate to the anchor. Sessions do not need it, where chains come whole and in order;
 * it is for certificates that somebody else's directory holds, and for the signers of revocation lists.
 *
 * @throws PkiError of the last path that was tried
 */
export async function findValidPath(
  certificate: Certificate,
  material: PathMaterial,
  modules: { readonly crypto: CryptoProvider },
): Promise<ValidPath> {
  let refusal = new PkiError("ERR_CERTIFICATE_UNTRUSTED", "no certificates lead from this one to the root");
  let attempts = 0;
  for (const path of candidatePaths([certificate], { ...material, comparisons: { left: MAX_COMPARISONS } })) {
    try {
      return await validatePath(path, material, modules);
    } catch (error) {
      if (!(error instanceof PkiError)) throw error;
      refusal = error;
    }
    attempts++;
    if (attempts === MAX_ATTEMPTS) break;
  }
  throw refusal;
}

interface Search extends PathMaterial {
  /** Counted down over the whole search. */
  readonly comparisons: { left: number };
}

/** Paths whose names and key identifiers fit, each certificate at most once, the shortest ways to the anchor first. */
function* candidatePaths(
  path: readonly Certificate[],
  search: Search,
): Generator<readonly Certificate[], void, undefined> {
  const { anchor, authorities, rules, comparisons } = search;
  const last = path.at(-1);
  if (last === undefined || path.length >= rules.maximumDepth) return;
  if (mayHaveIssued(anchor, last)) yield path;
  for (const authority of authorities) {
    if (comparisons.left-- <= 0) return;
    const isUsed = path.some(({ digest }) => equalBytes(digest, authority.digest));
    if (!isUsed && mayHaveIssued(authority, last)) yield* candidatePaths([...path, authority], search);
  }
}

function mayHaveIssued(issuer: Certificate, certificate: Certificate): boolean {
  const wanted = certificate.extensions.authorityKeyIdentifier;
  return !isOtherKey(wanted, issuer) && isSameName(certificate.issuer, issuer.subject);
}
