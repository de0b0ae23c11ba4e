import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, VerifyingKey } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import { type ChainCache, revocationState } from "./chain-cache.ts";
import { octetString, sequence } from "./der-writer.ts";
import { isName } from "./names.ts";
import { OID } from "./object-identifiers.ts";
import type { Participant, Role } from "./participant.ts";
import type { RevocationSource } from "./path-rules.ts";
import { enrolmentUrn, parseParticipantUrn, type Subject } from "./urn.ts";
import { type VerifiedPath, verifyPath } from "./verify-path.ts";

/**
 * What the holder is to be: the server of a session, a client of one (site or user), or the signer of a stored object,
 * which may be either.
 */
export type ChainUsage = "server" | "client" | "signer";

/** What a chain has to prove. */
export interface ChainExpectations {
  /** Pinned root of the project, DER. */
  readonly root: Bytes;
  /** Name of the project. */
  readonly project: string;
  /** What the holder is to be. */
  readonly usage: ChainUsage;
  /** Time at which it has to be valid, ms since 1970: the local clock's. */
  readonly nowMs: number;
  /** Roles that are admitted; by default all that the usage allows. */
  readonly roles?: readonly Role[];
  /** Name that the holder has to have. */
  readonly name?: string;
}

/** What {@link verifyChain} works with. */
export interface ChainModules {
  /** Hashes and verifies. */
  readonly crypto: CryptoProvider;
  /** Spares the work for chains that were seen before. */
  readonly cache?: ChainCache;
  /** Where revocation is asked for; without it no certificate counts as revoked. */
  readonly revocation?: RevocationSource;
}

/** A participant with proof. */
export interface VerifiedChain {
  /** Who it is; its chain is the one given, without the root. */
  readonly participant: Participant;
  /** The holder's key, to verify its signatures with. */
  readonly verifyingKey: VerifyingKey;
  /** SubjectPublicKeyInfo of the holder, DER. */
  readonly publicKey: Bytes;
  /** When the first certificate of the chain expires, ms since 1970. */
  readonly notAfterMs: number;
  /** SHA-256 of the code of the invite by which a site enrolled. */
  readonly inviteDigest: Bytes | undefined;
}

/**
 * Proves who a certificate chain belongs to: a valid path to the pinned root, then the profile of Photinus (protocol,
 * section 8): purpose, role, and the names in SAN, CN, OU and O, which agree.
 *
 * @param chain DER, leaf first; the root at its end is allowed and ignored
 * @throws PkiError whose code says which condition failed
 */
export async function verifyChain(
  chain: readonly Bytes[],
  expectations: ChainExpectations,
  modules: ChainModules,
): Promise<VerifiedChain> {
  const ownChain = withoutRoot(chain, expectations.root);
  const path = await cachedPath(ownChain, expectations, modules);
  const isEnrolled = requireKnownAuthorities(path, expectations.project);
  const subject = requireSubject(path.leaf, expectations);
  requirePurpose(path.leaf, subject.role, expectations);
  if (isEnrolled) requireEnrolledSite(path.leaf, subject);
  const org = requireAgreement(path.leaf, subject);
  return {
    participant: {
      ...subject,
      org,
      leafDigest: path.leaf.digest,
      chain: [path.leaf, ...path.authorities].map(({ der }) => der),
    },
    verifyingKey: path.verifyingKey,
    publicKey: path.leaf.publicKey.spki,
    notAfterMs: path.notAfterMs,
    inviteDigest: path.leaf.extensions.inviteDigest,
  };
}

function withoutRoot(chain: readonly Bytes[], root: Bytes): readonly Bytes[] {
  const last = chain.at(-1);
  return last !== undefined && chain.length > 1 && equalBytes(last, root) ? chain.slice(0, -1) : chain;
}

async function cachedPath(
  chain: readonly Bytes[],
  expectations: ChainExpectations,
  modules: ChainModules,
): Promise<VerifiedPath> {
  const { crypto, cache, revocation } = modules;
  if (cache === undefined) return verifyPath(chain, expectations, modules);
  // Each with its length: what is cut at other places is another chain, though it has the same bytes in a row.
  const key = toHex(await crypto.sha256(sequence(...[...chain, expectations.root].map(octetString))));
  const state = revocationState(revocation);
  const known = cache.get(key, expectations.nowMs, state);
  if (known !== undefined) return known;
  const path = await verifyPath(chain, expectations, modules);
  cache.set(key, path, state);
  return path;
}

/** [W-153] Between leaf and root stands nothing, or the enrolment CA of the project. @returns true for the latter */
function requireKnownAuthorities({ authorities }: VerifiedPath, project: string): boolean {
  const [authority, ...more] = authorities;
  if (authority === undefined) return false;
  const { names, purposes } = authority.extensions;
  const isEnrolment = names.uris.length === 1 && names.uris[0] === enrolmentUrn(project);
  if (isEnrolment && more.length === 0 && purposes === undefined) return true;
  throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", "the issuer is neither the root nor the enrolment CA");
}

/** [W-151] One URI of SAN, of this project. */
function requireSubject({ extensions }: Certificate, expectations: ChainExpectations): Subject {
  const { uris, emailAddresses, directoryNames, others } = extensions.names;
  const isOne = uris.length === 1 && emailAddresses.length + directoryNames.length + others === 0;
  const subject = isOne ? parseParticipantUrn(uris[0] ?? "") : undefined;
  if (subject === undefined) {
    throw new PkiError("ERR_CERTIFICATE_NAME", "the certificate does not name one participant of Photinus");
  }
  if (subject.project !== expectations.project) {
    throw new PkiError("ERR_CERTIFICATE_NAME", `${subject.name} belongs to another project`);
  }
  if (expectations.name !== undefined && subject.name !== expectations.name) {
    throw new PkiError("ERR_CERTIFICATE_NAME", `expected ${expectations.name}, got ${subject.name}`);
  }
  return subject;
}

/** [W-152] The key may sign, is no CA's, and both its purpose and its role are what the usage needs. */
function requirePurpose({ extensions }: Certificate, role: Role, expectations: ChainExpectations): void {
  const { authority, keyUsage, purposes = [] } = extensions;
  const { usage, roles } = expectations;
  const isAuthority = authority !== undefined || keyUsage?.has("keyCertSign") || keyUsage?.has("cRLSign");
  const isSigner = !isAuthority && keyUsage?.has("digitalSignature");
  const hasPurpose = purposes.includes(role === "server" ? OID.serverAuth : OID.clientAuth);
  const isUsable = usage === "signer" || (usage === "server") === (role === "server");
  const isAdmitted = roles === undefined || roles.includes(role);
  if (isSigner && hasPurpose && isUsable && isAdmitted) return;
  throw new PkiError(
    "ERR_CERTIFICATE_PURPOSE",
    `a certificate for role ${role} does not serve as ${usage} here`,
  );
}

/** [W-153] Protocol, section 8: the server holds the key of the enrolment CA, so nothing but sites counts under it. */
function requireEnrolledSite({ extensions }: Certificate, { role }: Subject): void {
  if (role === "site" && extensions.inviteDigest !== undefined) return;
  throw new PkiError("ERR_CERTIFICATE_PURPOSE", `the enrolment CA issued a certificate for role ${role}`);
}

/** [W-151] CN, OU and O say the same as the URI, which is what the code reads. @returns the organization */
function requireAgreement({ subject: names }: Certificate, subject: Subject): string {
  const { commonName, organizationalUnit, organization = "" } = names;
  if (commonName === subject.name && organizationalUnit === subject.role && isName(organization)) {
    return organization;
  }
  throw new PkiError("ERR_CERTIFICATE_NAME", "CN, OU and O of the certificate do not agree with its URI");
}
