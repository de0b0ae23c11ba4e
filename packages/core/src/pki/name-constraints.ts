import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { Certificate } from "./certificate.ts";
import { derChildren } from "./der-reader.ts";
import { isBelow } from "./distinguished-name.ts";
import { type GeneralName, readGeneralName } from "./general-name.ts";
import { isHostName, isHostWithin, isMailWithin, isUriWithin, mayWildcardReach } from "./host-constraints.ts";

/** What names a CA may give: none that is excluded, and of a kind that is permitted somewhere only those. */
export interface NameConstraints {
  /** Names of each kind that is named here have to lie in one of these. */
  readonly permitted: readonly GeneralName[];
  /** Names that lie in one of these are refused. */
  readonly excluded: readonly GeneralName[];
}

/** Subtrees that one certificate may list: each is compared with each name below. */
const MAX_SUBTREES = 64;

/**
 * Reads the content of the extension (RFC 5280, section 4.2.1.10), which was checked to be DER.
 * @throws PkiError `ERR_CERTIFICATE_UNSUPPORTED` for kinds of names that are not compared here, when the extension is
 *   critical (where it is not, they are left out); RangeError when it is malformed
 */
export function readNameConstraints(
  der: Bytes,
  { isCritical }: { readonly isCritical: boolean },
): NameConstraints {
  const fields = derChildren(der);
  const tags = fields.map(([tag]) => tag);
  const isWhole = fields.length > 0 && ["160", "161", "160,161"].includes(tags.join(","));
  if (!isWhole) throw new RangeError("name constraints without names");
  const subtrees = (tag: number): readonly GeneralName[] => {
    const field = fields.find(([first]) => first === tag);
    return field === undefined ? [] : readSubtrees(field, { tag, isCritical });
  };
  return { permitted: subtrees(0xa0), excluded: subtrees(0xa1) };
}

interface SubtreeList {
  readonly tag: number;
  readonly isCritical: boolean;
}

function readSubtrees(field: Bytes, { tag, isCritical }: SubtreeList): readonly GeneralName[] {
  const subtrees = derChildren(field, tag);
  if (subtrees.length === 0 || subtrees.length > MAX_SUBTREES)
    throw new RangeError(`${subtrees.length} subtrees`);
  const bases = subtrees.map(readSubtree);
  const isKnown = (base: GeneralName): boolean => base.kind !== "other" && base.kind !== "iPAddress";
  if (isCritical && !bases.every(isKnown))
    throw unsupported("names that are neither host, URI, e-mail nor directory");
  return bases.filter(isKnown);
}

/** GeneralSubtree: minimum is 0, so DER leaves it out, and maximum is never there (RFC 5280, section 4.2.1.10). */
function readSubtree(der: Bytes): GeneralName {
  const [base, ...distances] = derChildren(der);
  if (base === undefined) throw new RangeError("a subtree without a base");
  if (distances.length > 0) throw unsupported("distances");
  const name = readGeneralName(base);
  if (name.kind === "dNSName" && name.text !== "" && !isHostName(name.text))
    throw new RangeError("no host name");
  return name;
}

function unsupported(what: string): PkiError {
  return new PkiError("ERR_CERTIFICATE_UNSUPPORTED", `name constraints on ${what} are not supported`);
}

/**
 * RFC 5280, section 6.1.3 (b) and (c): the subject, all names beside it, and e-mail addresses inside the subject.
 *
 * @param constraints of all certificates above this one
 * @throws PkiError `ERR_CERTIFICATE_CONSTRAINT`
 */
export function requireAllowedNames(certificate: Certificate, constraints: readonly NameConstraints[]): void {
  if (constraints.length === 0) return;
  for (const name of namesOf(certificate)) {
    if (constraints.every((set) => isAllowed(name, set))) continue;
    const text = "text" in name ? name.text : (certificate.subject.commonName ?? "its subject");
    throw new PkiError("ERR_CERTIFICATE_CONSTRAINT", `a CA of the chain may not give the name ${text}`);
  }
}

function namesOf({ subject, extensions: { names } }: Certificate): readonly GeneralName[] {
  const texts = (kind: "dNSName" | "rfc822Name" | "uniformResourceIdentifier", list: readonly string[]) =>
    list.map((text): GeneralName => ({ kind, text }));
  // Section 4.2.1.10: only where there is no rfc822Name do addresses in the subject count as such.
  const addresses = names.emailAddresses.length > 0 ? names.emailAddresses : subject.emailAddresses;
  const subjects = subject.relativeNames.length > 0 ? [subject] : [];
  return [
    ...texts("dNSName", names.dnsNames),
    ...texts("uniformResourceIdentifier", names.uris),
    ...texts("rfc822Name", addresses),
    ...[...subjects, ...names.directoryNames].map((name): GeneralName => ({ kind: "directoryName", name })),
  ];
}

function isAllowed(name: GeneralName, { permitted, excluded }: NameConstraints): boolean {
  const ofKind = (list: readonly GeneralName[]) => list.filter(({ kind }) => kind === name.kind);
  if (ofKind(excluded).some((base) => isWithin(name, base) !== false)) return false;
  const wanted = ofKind(permitted);
  return wanted.length === 0 || wanted.some((base) => isWithin(name, base) === true);
}

/** Whether the name lies in the subtree; `undefined` when it cannot be told, which neither permits nor lets pass. */
function isWithin(name: GeneralName, base: GeneralName): boolean | undefined {
  const subtree = "text" in base ? base.text : "";
  switch (name.kind) {
    case "directoryName":
      return base.kind === "directoryName" ? isBelow(name.name, base.name) : undefined;
    case "dNSName":
      // An excluded host is refused to a wildcard that stands for it.
      return mayWildcardReach(name.text, subtree) ? undefined : isHostWithin(name.text, subtree);
    case "rfc822Name":
      return isMailWithin(name.text, subtree);
    case "uniformResourceIdentifier":
      return isUriWithin(name.text, subtree);
    case "iPAddress":
    case "other":
      return undefined;
  }
}
