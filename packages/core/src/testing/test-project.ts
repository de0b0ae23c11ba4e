import type { Bytes } from "../bytes/index.ts";
import {
  type Certificate,
  type Identity,
  type Issuer,
  issueEnrolmentCa,
  issueParticipant,
  issueRevocationList,
  issueRoot,
  LIFETIME_MS,
  loadIdentity,
  type Name,
  type OfferedRevocationList,
  parseCertificate,
  RevocationLists,
  type Role,
  requireName,
  type Subject,
  subjectOf,
} from "../pki/index.ts";
import { type Clock, type CryptoProvider, webCrypto } from "../platform/index.ts";

/** A moment in 2026 at which test projects are made when no clock is given. */
export const TEST_EPOCH_MS: number = Date.UTC(2026, 6, 1);

/** A user of a test project. */
export interface TestUser {
  /** Lower-case e-mail. */
  readonly name: string;
  /** Default "lead". */
  readonly role?: Exclude<Role, "server" | "site">;
}

/** What a test project is made of. */
export interface TestProjectOptions {
  /** Name of the project; default "test". */
  readonly project?: string;
  /** Name of the server; default "hub". */
  readonly server?: string;
  /** Names of the sites, default `["site-1", "site-2"]`. */
  readonly sites?: readonly string[];
  /** Users; default one lead, `lead@example.org`. */
  readonly users?: readonly TestUser[];
  /** Default WebCrypto. */
  readonly crypto?: CryptoProvider;
  /** Time of issue; default {@link TEST_EPOCH_MS}. */
  readonly clock?: Pick<Clock, "now">;
}

/** A CA of a test project with its key. */
export interface TestAuthority extends Issuer {
  /** The CA's certificate. */
  readonly certificate: Certificate;
}

/** A whole project: real certificates of the real profile, but for the root's curve (P-256, to be quick). */
export interface TestProject {
  /** Name of the project. */
  readonly project: string;
  /** Root CA; `root.certificate.der` is what everybody pins. */
  readonly root: TestAuthority;
  /** Enrolment CA. */
  readonly enrolmentCa: TestAuthority;
  /** The server. */
  readonly server: Identity;
  /** The sites by name. */
  readonly sites: ReadonlyMap<string, Identity>;
  /** The users by name. */
  readonly users: ReadonlyMap<string, Identity>;
  /** One more participant, issued by the root. */
  readonly add: (role: Role, name: string) => Promise<Identity>;
  /** One more site, issued by the enrolment CA as after a join link. */
  readonly enrol: (name: string) => Promise<Identity>;
  /** What the server knows about revoked certificates: an empty list of each CA, valid as long as the root. */
  readonly revocations: RevocationLists;
  /** The next list of the CA that issued these; nobody has it yet. Earlier revocations by the same CA stay in it. */
  readonly revoke: (...identities: readonly Identity[]) => Promise<OfferedRevocationList>;
}

/**
 * Makes a project for tests.
 *
 * ```ts
 * const { root, server, sites } = await testProject({ sites: ["a", "b"], crypto: nodeCrypto(), clock });
 * const a = sites.get("a"); // Identity: participant (chain, leafDigest, name, role) and signingKey
 * ```
 */
export async function testProject(options: TestProjectOptions = {}): Promise<TestProject> {
  const { crypto = webCrypto(), clock = { now: () => TEST_EPOCH_MS } } = options;
  const project = requireName(options.project ?? "test", "the project");
  const authority = await testAuthorities(project, { crypto, nowMs: clock.now() });
  const issueFrom = (issuer: TestAuthority, inviteDigest?: Bytes) => (role: Role, name: string) =>
    testIdentity(
      { subject: requireSubject(project, role, name), issuer, inviteDigest },
      { root: authority.root.certificate.der, crypto, nowMs: clock.now() },
    );
  const add = issueFrom(authority.root);
  const enrol = issueFrom(authority.enrolmentCa, new Uint8Array(32).fill(7));
  const named = async (list: readonly (readonly [Role, string])[]): Promise<ReadonlyMap<string, Identity>> =>
    new Map(await Promise.all(list.map(async ([role, name]) => [name, await add(role, name)] as const)));
  const { sites = ["site-1", "site-2"], users = [{ name: "lead@example.org" }] } = options;
  const lists = testLists(authority, { crypto, nowMs: clock.now() });
  const revocations = new RevocationLists(
    { project, root: authority.root.certificate.der },
    { crypto, clock },
  );
  await revocations.take(await lists.next(authority.root, []));
  await revocations.take(await lists.next(authority.enrolmentCa, []));
  return {
    project,
    ...authority,
    server: await add("server", options.server ?? "hub"),
    sites: await named(sites.map((name) => ["site", name])),
    users: await named(users.map(({ role = "lead", name }) => [role, name])),
    add,
    enrol: (name) => enrol("site", name),
    revocations,
    revoke: (...identities) => {
      const isEnrolled = identities.some(({ participant }) => participant.chain.length > 1);
      return lists.next(isEnrolled ? authority.enrolmentCa : authority.root, identities);
    },
  };
}

interface Making {
  readonly crypto: CryptoProvider;
  readonly nowMs: number;
}

async function testAuthorities(
  project: Name,
  { crypto, nowMs }: Making,
): Promise<Pick<TestProject, "root" | "enrolmentCa">> {
  const [rootKey, key] = await Promise.all([crypto.generateSigningKey(1), crypto.generateSigningKey(1)]);
  const certificate = await issueRoot({ project, key: rootKey, nowMs }, { crypto });
  const root = { certificate, key: rootKey };
  const enrolment = await issueEnrolmentCa({ project, publicKey: key.publicKey, nowMs }, root, { crypto });
  return { root, enrolmentCa: { certificate: enrolment, key } };
}

/** Lists of the CAs of a project, each with one number more than the one before and all that was revoked. */
function testLists(
  { root, enrolmentCa }: Pick<TestProject, "root" | "enrolmentCa">,
  { crypto, nowMs }: Making,
): { readonly next: (issuer: TestAuthority, of: readonly Identity[]) => Promise<OfferedRevocationList> } {
  const made = new Map([root, enrolmentCa].map((issuer) => [issuer, { number: 0, serials: [] as Bytes[] }]));
  return {
    async next(issuer, identities) {
      const state = made.get(issuer);
      if (state === undefined) throw new RangeError("not a CA of this project");
      state.number++;
      for (const { participant } of identities) {
        const { serialNumber } = await parseCertificate(participant.chain[0] ?? new Uint8Array(0), {
          crypto,
        });
        state.serials.push(serialNumber);
      }
      const entry = { revokedAtMs: nowMs, reason: "keyCompromise" } as const;
      const revoked = state.serials.map((serialNumber) => ({ serialNumber, ...entry }));
      const request = { number: state.number, nowMs, lifetimeMs: LIFETIME_MS.root, revoked };
      const { der } = await issueRevocationList(request, issuer, { crypto });
      return { list: der, issuer: issuer.certificate.der };
    },
  };
}

interface TestSubject {
  readonly subject: Subject;
  readonly issuer: TestAuthority;
  readonly inviteDigest: Bytes | undefined;
}

async function testIdentity(
  { subject, issuer, inviteDigest }: TestSubject,
  { root, crypto, nowMs }: Making & { readonly root: Bytes },
): Promise<Identity> {
  const signingKey = await crypto.generateSigningKey(1);
  const org = requireName("example", "the organization");
  const invited = inviteDigest === undefined ? {} : { inviteDigest };
  const leaf = await issueParticipant(
    { subject, org, publicKey: signingKey.publicKey, nowMs, ...invited },
    issuer,
    { crypto },
  );
  const chain = inviteDigest === undefined ? [leaf.der] : [leaf.der, issuer.certificate.der];
  return loadIdentity({ chain, signingKey }, { root, project: subject.project, nowMs }, { crypto });
}

function requireSubject(project: string, role: Role, name: string): Subject {
  const subject = subjectOf(project, role, name);
  if (subject === undefined) throw new RangeError(`${name} is no name for role ${role}`);
  return subject;
}
