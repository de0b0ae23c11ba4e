import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { canonicalCertificate } from "./canonical-certificate.ts";
import { type Certificate, isOtherKey } from "./certificate.ts";
import { isSameName } from "./distinguished-name.ts";
import { type NameConstraints, requireAllowedNames } from "./name-constraints.ts";
import type { PathRules, RevocationSource } from "./path-rules.ts";
import { isSignedBy } from "./signed-value.ts";

/** What a path is held against. */
export interface PathConditions {
  /** Certificate that is trusted: its names, key, validity and constraints count, its signature does not. */
  readonly anchor: Certificate;
  /** Parameters of the validation. */
  readonly rules: PathRules;
  /** Time at which all certificates have to be valid, ms since 1970. */
  readonly nowMs: number;
  /** Where revocation is asked for; without it no certificate counts as revoked. */
  readonly revocation?: RevocationSource | undefined;
  /** True when the signature of the second on the first has verified before; by default each is verified. */
  readonly isIssued?: (certificate: Certificate, issuer: Certificate) => boolean;
}

/** A path that is valid, and when. */
export interface ValidPath {
  /** The path with each certificate in its one form: see `canonicalCertificate`. */
  readonly path: readonly Certificate[];
  /** From when on all its certificates are valid, ms since 1970. */
  readonly notBeforeMs: number;
  /** Until when all its certificates are valid, ms since 1970. */
  readonly notAfterMs: number;
  /** Until when the lists that name none of them are to be believed, ms since 1970; without lists for ever. */
  readonly statusUntilMs: number;
}

/**
 * Path validation of RFC 5280, section 6.1, as far as certificates can say it here: signatures, validity, revocation,
 * names and constraints on them, basicConstraints with path length, keyUsage. Policies are not processed: what would
 * make them count is refused when a certificate is parsed. First comes what costs nothing, then the signatures from
 * the anchor down, so that no key is used before it is proved; then names, which a stranger could make costly to
 * compare, and revocation.
 *
 * @param path parsed certificates, the holder's first, the one that the anchor issued last; without the anchor
 * @throws PkiError whose code says which condition failed
 */
export async function validatePath(
  path: readonly Certificate[],
  conditions: PathConditions,
  modules: { readonly crypto: CryptoProvider },
): Promise<ValidPath> {
  const { anchor, rules, nowMs } = conditions;
  // [W-146]
  if (path.length === 0 || path.length >= rules.maximumDepth) {
    throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", `chain of ${path.length} certificates without the root`);
  }
  const links = linksOf(path, anchor);
  for (const certificate of [anchor, ...path]) requireValidAt(certificate, nowMs);
  for (const link of links) requireLink(link, rules);
  requirePathLengths(links, anchor);
  const proved = await requireSignatures(links, conditions, modules);
  requireNames(links, anchor);
  const statusUntilMs = await requireNotRevoked(linksOf(proved, anchor), conditions);
  const all = [anchor, ...path];
  return {
    path: proved,
    notBeforeMs: Math.max(...all.map((certificate) => certificate.notBeforeMs)),
    notAfterMs: Math.min(...all.map((certificate) => certificate.notAfterMs)),
    statusUntilMs,
  };
}

/** A certificate of a path and the one above it. */
interface Link {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly isLast: boolean;
}

/** From the anchor down, as section 6.1 counts. */
function linksOf(path: readonly Certificate[], anchor: Certificate): readonly Link[] {
  return path
    .map((certificate, index) => ({ certificate, issuer: path[index + 1] ?? anchor, isLast: index === 0 }))
    .toReversed();
}

/** [W-147] Section 6.1.3 (a)(2). */
function requireValidAt({ notBeforeMs, notAfterMs, subject }: Certificate, nowMs: number): void {
  const whose = `the certificate of ${subject.commonName ?? "an unnamed holder"}`;
  if (nowMs < notBeforeMs) {
    const from = new Date(notBeforeMs).toISOString();
    throw new PkiError("ERR_CERTIFICATE_NOT_YET_VALID", `${whose} is valid from ${from} on`);
  }
  if (nowMs > notAfterMs) {
    const end = new Date(notAfterMs).toISOString();
    throw new PkiError("ERR_CERTIFICATE_EXPIRED", `${whose} expired at ${end}`);
  }
}

/** [W-146] Sections 6.1.3 (a)(4) and 6.1.4 (k) and (n): the name of the issuer, which is a CA that may sign certificates. */
function requireLink({ certificate, issuer }: Link, { requiresKeyUsage }: PathRules): void {
  const { authority, keyUsage } = issuer.extensions;
  const maySign = keyUsage === undefined ? !requiresKeyUsage : keyUsage.has("keyCertSign");
  if (authority === undefined || !maySign) throw untrusted(issuer);
  const wanted = certificate.extensions.authorityKeyIdentifier;
  if (!isOtherKey(wanted, issuer) && isSameName(certificate.issuer, issuer.subject)) return;
  throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", "the chain does not lead to the root of the project");
}

function untrusted({ subject }: Certificate): PkiError {
  const whose = subject.commonName ?? "an unnamed holder";
  return new PkiError(
    "ERR_CERTIFICATE_UNTRUSTED",
    `${whose} may not issue certificates at this place of the chain`,
  );
}

/** [W-146] Section 6.1.4 (l) and (m), the anchor's own constraint included (RFC 5937). */
function requirePathLengths(links: readonly Link[], anchor: Certificate): void {
  let left = pathLengthOf(anchor);
  for (const { certificate, issuer, isLast } of links) {
    if (isLast) return;
    if (!isSelfIssued(certificate)) {
      if (left === 0) throw untrusted(issuer);
      left -= 1;
    }
    left = Math.min(left, pathLengthOf(certificate));
  }
}

function pathLengthOf({ extensions }: Certificate): number {
  return extensions.authority?.pathLength ?? Number.POSITIVE_INFINITY;
}

/** Such a certificate brings a new key of the same CA, or new policies: it is no further CA. */
function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return isSameName(issuer, subject);
}

/** [W-149] Sections 6.1.3 (b), (c) and 6.1.4 (g). Each set is kept as it is: a name has to meet all of them. */
function requireNames(links: readonly Link[], anchor: Certificate): void {
  const constraints: NameConstraints[] = [];
  const add = ({ extensions: { nameConstraints } }: Certificate): void => {
    if (nameConstraints !== undefined) constraints.push(nameConstraints);
  };
  add(anchor);
  for (const { certificate, isLast } of links) {
    if (isLast || !isSelfIssued(certificate)) requireAllowedNames(certificate, constraints);
    add(certificate);
  }
}

/** [W-148] Section 6.1.3 (a)(1). @returns the path, the holder's certificate first */
async function requireSignatures(
  links: readonly Link[],
  { rules: { schemes }, isIssued }: PathConditions,
  modules: { readonly crypto: CryptoProvider },
): Promise<readonly Certificate[]> {
  const proved: Certificate[] = [];
  for (const { certificate, issuer } of links) {
    if (isIssued?.(certificate, issuer)) {
      proved.unshift(certificate); // in its one form, in which it was kept
      continue;
    }
    if (!(await isSignedBy(certificate, { key: issuer.publicKey, schemes }, modules))) {
      throw new PkiError("ERR_CERTIFICATE_SIGNATURE", "a signature of the certificate chain does not verify");
    }
    proved.unshift(await canonicalCertificate(certificate, issuer, modules));
  }
  return proved;
}

/** [W-150] Section 6.1.3 (a)(3). What is not known is not good. @returns until when the answers hold */
async function requireNotRevoked(
  links: readonly Link[],
  { revocation, nowMs }: PathConditions,
): Promise<number> {
  let untilMs = Number.POSITIVE_INFINITY;
  if (revocation === undefined) return untilMs;
  for (const { certificate, issuer } of links) {
    const answer = await revocation.check(certificate, issuer, nowMs);
    const whose = `the certificate of ${certificate.subject.commonName ?? "an unnamed holder"}`;
    if (answer.status === "revoked") throw new PkiError("ERR_REVOKED", `${whose} was revoked`);
    if (answer.status === "suspended") {
      const until = new Date(answer.untilMs).toISOString();
      throw new PkiError("ERR_SUSPENDED", `${whose} is suspended until ${until}`);
    }
    if (answer.status === "unknown") {
      throw new PkiError("ERR_CRL_MISSING", `no revocation list that counts now says anything of ${whose}`);
    }
    untilMs = Math.min(untilMs, answer.untilMs);
  }
  return untilMs;
}
