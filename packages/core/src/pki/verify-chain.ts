import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { CryptoProvider, VerifyingKey } from "../platform/index.ts";
import type { Certificate } from "./certificate.ts";
import { CertifiedParticipant } from "./certified-participant.ts";
import { type ChainCache, PackedChain, type ProvedChain, revocationState } from "./chain-cache.ts";
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
  const { cache } = modules;
  if (cache === undefined) return (await proveChain(ownChain, expectations, modules)).chain;
  // Each with its length: what is cut at other places is another chain, though it has the same bytes in a row.
  const parts = [...ownChain, expectations.root].map(octetString);
  const key = toHex(await modules.crypto.sha256(sequence(...parts)));
  const state = revocationState(modules.revocation);
  const known = cache.get(key, expectations.nowMs, state);
  if (known !== undefined) {
    requireExpected(known.participant, expectations);
    return known;
  }
  const proved = await proveChain(ownChain, expectations, modules);
  cache.set(key, proved, state);
  return proved.chain;
}

/** The whole work, for a chain that nobody remembers. */
async function proveChain(
  chain: readonly Bytes[],
  expectations: ChainExpectations,
  modules: ChainModules,
): Promise<ProvedChain> {
  const path = await verifyPath(chain, expectations, modules);
  const { leaf, authorities, root } = path;
  const isEnrolled = requireKnownAuthorities(path, expectations.project);
  const subject = requireSubject(leaf);
  requireSigner(leaf, subject.role, expectations.usage);
  requireExpected(subject, expectations);
  if (isEnrolled) requireEnrolledSite(leaf, subject);
  const org = requireAgreement(leaf, subject);
  const { name, role } = subject;
  const participant = new CertifiedParticipant(
    { project: expectations.project, name, org, role }, // the project as the caller has it, and not one more copy of it
    leaf,
    authorities.length === 0 ? NO_AUTHORITIES : authorities.map(({ der }) => der),
  );
  const proved = new PackedChain({
    participant,
    verifyingKey: path.verifyingKey,
    publicKey: leaf.publicKey.spki,
    notBeforeMs: path.notBeforeMs,
    notAfterMs: path.notAfterMs,
    statusUntilMs: path.statusUntilMs,
    inviteDigest: leaf.extensions.inviteDigest,
  });
  return { chain: proved, authorities: [root, ...authorities] };
}

const NO_AUTHORITIES: readonly Bytes[] = [];

function withoutRoot(chain: readonly Bytes[], root: Bytes): readonly Bytes[] {
  const last = chain.at(-1);
  return last !== undefined && chain.length > 1 && equalBytes(last, root) ? chain.slice(0, -1) : chain;
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

/** [W-151] One URI of SAN. */
function requireSubject({ extensions }: Certificate): Subject {
  const { uris, emailAddresses, directoryNames, others } = extensions.names;
  const isOne = uris.length === 1 && emailAddresses.length + directoryNames.length + others === 0;
  const subject = isOne ? parseParticipantUrn(uris[0] ?? "") : undefined;
  if (subject !== undefined) return subject;
  throw new PkiError("ERR_CERTIFICATE_NAME", "the certificate does not name one participant of Photinus");
}

/** [W-152] The key may sign, is no CA's, and its purpose is what the role needs. */
function requireSigner({ extensions }: Certificate, role: Role, usage: ChainUsage): void {
  const { authority, keyUsage, purposes = [] } = extensions;
  const isAuthority = authority !== undefined || keyUsage?.has("keyCertSign") || keyUsage?.has("cRLSign");
  const isSigner = !isAuthority && keyUsage?.has("digitalSignature");
  const hasPurpose = purposes.includes(role === "server" ? OID.serverAuth : OID.clientAuth);
  if (!isSigner || !hasPurpose) throw wrongPurpose(role, usage);
}

/** [W-151], [W-152] Who it is, is who was wanted here; asked each time, also of a chain that is remembered. */
function requireExpected(
  { project, name, role }: Pick<Participant, "project" | "name" | "role">,
  expectations: ChainExpectations,
): void {
  if (project !== expectations.project) {
    throw new PkiError("ERR_CERTIFICATE_NAME", `${name} belongs to another project`);
  }
  if (expectations.name !== undefined && name !== expectations.name) {
    throw new PkiError("ERR_CERTIFICATE_NAME", `expected ${expectations.name}, got ${name}`);
  }
  const { usage, roles } = expectations;
  const isUsable = usage === "signer" || (usage === "server") === (role === "server");
  const isAdmitted = roles === undefined || roles.includes(role);
  if (!isUsable || !isAdmitted) throw wrongPurpose(role, usage);
}

function wrongPurpose(role: Role, usage: ChainUsage): PkiError {
  return new PkiError(
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
