import { toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { findValidPath, type PathMaterial } from "./build-path.ts";
import { type Certificate, isOtherKey } from "./certificate.ts";
import type { RevocationList } from "./crl.ts";
import { isSameName } from "./distinguished-name.ts";
import type { RevocationAnswer, RevocationSource } from "./path-rules.ts";
import { isSignedBy } from "./signed-value.ts";

/** What {@link listedRevocation} looks into. */
export interface ListedRevocationOptions extends Omit<PathMaterial, "nowMs" | "revocation"> {
  /** Parsed lists of any issuers in any order. */
  readonly lists: readonly RevocationList[];
}

/**
 * CRL processing of RFC 5280, section 6.3.3 for complete lists: of those of the certificate's issuer that are current
 * and signed by a key of that CA, none may name the certificate, and there has to be one. The list may be signed by
 * another key than the certificate, when a certificate of the CA for that key has a valid path to the same anchor
 * (section 6.3.3 (f)). Sessions use `RevocationLists`, where a CA has one key and one list.
 */
export function listedRevocation(
  options: ListedRevocationOptions,
  modules: { readonly crypto: CryptoProvider },
): RevocationSource {
  return sourceOf({ ...options, ...modules, underWay: [] });
}

interface Search extends ListedRevocationOptions {
  readonly crypto: CryptoProvider;
  /** Signers whose own status is being looked for: asked for again, it depends on itself and stays unknown. */
  readonly underWay: readonly Certificate[];
}

function sourceOf(search: Search): RevocationSource {
  return {
    epoch: 0,
    check: (certificate, issuer, atMs) => statusOf(certificate, { issuer, atMs }, search),
  };
}

interface Question {
  readonly issuer: Certificate;
  readonly atMs: number;
}

async function statusOf(
  certificate: Certificate,
  { issuer, atMs }: Question,
  search: Search,
): Promise<RevocationAnswer> {
  let untilMs: number | undefined;
  for (const list of search.lists) {
    const isCurrent = atMs >= list.thisUpdateMs && atMs <= list.nextUpdateMs;
    if (!isCurrent || !isSameName(list.issuer, certificate.issuer)) continue;
    if (!(await isAuthentic(list, { issuer, atMs }, search))) continue;
    if (list.entries.has(toHex(certificate.serialNumber))) return { status: "revoked" };
    untilMs = Math.min(untilMs ?? list.nextUpdateMs, list.nextUpdateMs);
  }
  return untilMs === undefined ? { status: "unknown" } : { status: "good", untilMs };
}

async function isAuthentic(
  list: RevocationList,
  { issuer, atMs }: Question,
  search: Search,
): Promise<boolean> {
  if (await hasSigned(issuer, list, search)) return true;
  for (const signer of search.authorities) {
    const isOther = !search.underWay.includes(signer) && isSameName(signer.subject, list.issuer);
    if (!isOther || !(await hasSigned(signer, list, search))) continue;
    const nowMs = atMs;
    const revocation = sourceOf({ ...search, underWay: [...search.underWay, signer] });
    if (await isValid(signer, { ...search, nowMs, revocation }, search)) return true;
  }
  return false;
}

/** Section 6.3.3 (f) and (g): a key of the name, whose certificate lets it sign lists, and the signature. */
async function hasSigned(
  signer: Certificate,
  list: RevocationList,
  { rules, crypto }: Search,
): Promise<boolean> {
  const { subject, extensions, publicKey } = signer;
  const maySign = extensions.keyUsage?.has("cRLSign") ?? !rules.requiresKeyUsage;
  if (!maySign || isOtherKey(list.authorityKeyIdentifier, signer) || !isSameName(subject, list.issuer)) {
    return false;
  }
  return await answers(() => isSignedBy(list, { key: publicKey, schemes: rules.schemes }, { crypto }));
}

function isValid(
  signer: Certificate,
  material: PathMaterial,
  modules: { readonly crypto: CryptoProvider },
): Promise<boolean> {
  return answers(async () => {
    await findValidPath(signer, material, modules);
    return true;
  });
}

/** A list or a signer that is refused with whatever code does not count; what is no refusal is a fault of ours. */
async function answers(question: () => Promise<boolean>): Promise<boolean> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}
