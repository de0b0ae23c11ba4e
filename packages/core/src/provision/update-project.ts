import { type Bytes, fromHex, toHex } from "../bytes/index.ts";
import { PkiError, ProvisionError } from "../errors/index.ts";
import {
  type FileSigner,
  issueEnrolmentCa,
  type Name,
  REVOCATION_LIFETIME_MS,
  type RevocationList,
  type RevocationReason,
  requireName,
} from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { createKit, type StartupKit } from "./create-kit.ts";
import type { ProvisionModules } from "./create-project.ts";
import { parseProjectDefinition } from "./definition.ts";
import {
  type EnrolmentMaterial,
  factsBytes,
  machinesOf,
  type PlannedKit,
  plannedKits,
} from "./kit-request.ts";
import type { Machine } from "./machines.ts";
import { type IssuedParticipant, issuedCertificate, notAfterOf, type ProjectState } from "./project-state.ts";
import { nextRevocationList } from "./revoke.ts";

/** A project as its administrator has it. */
export interface ExistingProject {
  /** The root with its key. */
  readonly root: FileSigner;
  /** The revocation list that was issued last, DER. */
  readonly latest: Bytes;
  /** What was issued before. */
  readonly state: ProjectState;
  /** What the server's kit holds that a new one must go on with; asked for only when the server needs a kit. */
  readonly server?: () => Promise<ServerKeys | undefined>;
}

/** Keys of a server that outlive its kit. */
export interface ServerKeys {
  /** 32 bytes that wrap the keys of everything at rest. */
  readonly storageKey: Bytes;
  /** CA by which pages enrolled. */
  readonly enrolment: EnrolmentMaterial;
}

/** Options of {@link updateProject}. */
export interface UpdateProjectOptions {
  /** Names that get a new kit though nothing changed; also those that were revoked. */
  readonly renew?: readonly string[];
  /** A server whose kit is made again starts with new keys: what it stored cannot be read, pages enrol again. */
  readonly newServerKeys?: boolean;
  /** ms that certificates are valid where the definition says nothing; default 360 days. */
  readonly lifetimeMs?: number;
}

/** What a changed definition led to. */
export interface ProjectUpdate {
  /** New kits by name: of who is new, changed or renewed. */
  readonly kits: ReadonlyMap<string, StartupKit>;
  /** Kits that those replace, by name: the identifier of the one before. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Names that the definition no longer has, with the identifiers of their last kits; their certificates are revoked. */
  readonly removed: ReadonlyMap<string, string>;
  /** Names that are revoked and stay so, though the definition has them. */
  readonly blocked: readonly string[];
  /** The root's next list, when a certificate was revoked. */
  readonly revocationList: RevocationList | undefined;
  /** All machines that have kits, for a server whose kit stays. */
  readonly machines: readonly Machine[];
  /** What was issued, these included. */
  readonly state: ProjectState;
}

/**
 * Brings a project in step with its definition: participants that are new or changed get kits, those that are gone are
 * revoked, everybody else's kit stays as it is.
 *
 * @param definition checked here
 * @throws ProvisionError `ERR_PROJECT_INVALID`; `ERR_PARTICIPANT_UNKNOWN` for a name in `renew`; `ERR_SERVER_KEYS_MISSING`
 *   when the server needs a kit and its keys are not at hand; PkiError `ERR_CERTIFICATE_EXPIRED` for the root
 */
export async function updateProject(
  definition: unknown,
  existing: ExistingProject,
  modules: ProvisionModules,
  options: UpdateProjectOptions = {},
): Promise<ProjectUpdate> {
  const project = parseProjectDefinition(definition);
  requireSameProject(project.name, existing, modules);
  const plan = await planUpdate(plannedKits(project), existing.state, { ...options, crypto: modules.crypto });
  const revocationList = await revokeOld(plan, existing, modules);
  const machines = machinesOf(project);
  const latest = revocationList?.der ?? existing.latest;
  const kits = await makeKits(plan.issue, { ...existing, latest, machines, options }, modules);
  return {
    kits,
    replaced: plan.replaced,
    removed: plan.removed,
    blocked: plan.blocked,
    revocationList,
    machines,
    state: nextState(plan, kits, { existing, revocationList, nowMs: modules.clock.now() }),
  };
}

function requireSameProject(
  name: string,
  { state, root }: ExistingProject,
  { clock }: ProvisionModules,
): void {
  if (name !== state.project) {
    throw new ProvisionError("ERR_PROJECT_INVALID", `name: this folder is of the project ${state.project}`);
  }
  if (clock.now() > root.certificate.notAfterMs) {
    throw new PkiError("ERR_CERTIFICATE_EXPIRED", "the root of the project has expired");
  }
}

interface PlannedIssue extends PlannedKit {
  readonly factsDigest: string;
}

interface Plan {
  readonly issue: readonly PlannedIssue[];
  readonly replaced: ReadonlyMap<string, string>;
  readonly removed: ReadonlyMap<string, string>;
  readonly blocked: readonly string[];
  /** Serial numbers to revoke, with the reason. */
  readonly revoke: ReadonlyMap<string, RevocationReason>;
}

type PlanOptions = UpdateProjectOptions & { readonly crypto: CryptoProvider };

async function planUpdate(
  planned: readonly PlannedKit[],
  { participants }: ProjectState,
  { renew = [], crypto }: PlanOptions,
): Promise<Plan> {
  const known = new Map(participants.map((participant) => [participant.name, participant]));
  const wanted = new Set<string>(planned.map(({ request }) => request.subject.name));
  requireKnown(renew, wanted);
  const issue: PlannedIssue[] = [];
  const blocked: string[] = [];
  const revoke = new Map<string, RevocationReason>();
  const removed = new Map<string, string>();
  for (const kit of planned) {
    const { name } = kit.request.subject;
    const factsDigest = toHex(await crypto.sha256(factsBytes(kit)));
    const before = known.get(name);
    const need = needOf(before, { factsDigest, isRenewed: renew.includes(name) });
    if (need === "blocked") blocked.push(name);
    if (need === "kit") issue.push({ ...kit, factsDigest });
    // A certificate says role and organization: an old one would go on giving what was taken away.
    if (before !== undefined && isOtherIdentity(before, kit))
      addSerials(revoke, before, "affiliationChanged");
  }
  for (const before of participants) {
    if (before.removed || wanted.has(before.name)) continue;
    addSerials(revoke, before, "cessationOfOperation");
    removed.set(before.name, lastKitOf(before));
  }
  const replaced = new Map(
    issue.flatMap(({ request: { subject } }) => {
      const before = known.get(subject.name);
      return before === undefined || before.removed ? [] : [[subject.name, lastKitOf(before)] as const];
    }),
  );
  return { issue, replaced, removed, blocked, revoke };
}

function requireKnown(renew: readonly string[], wanted: ReadonlySet<string>): void {
  const unknown = renew.find((name) => !wanted.has(name));
  if (unknown === undefined) return;
  throw new ProvisionError("ERR_PARTICIPANT_UNKNOWN", `the definition has no ${unknown}`);
}

function needOf(
  before: IssuedParticipant | undefined,
  { factsDigest, isRenewed }: { readonly factsDigest: string; readonly isRenewed: boolean },
): "kit" | "blocked" | "nothing" {
  if (before === undefined || before.removed || isRenewed) return "kit";
  // Who was revoked by hand does not come back because a line of the definition still names him.
  if (before.certificates.at(-1)?.revoked !== undefined) return "blocked";
  return before.facts === factsDigest ? "nothing" : "kit";
}

function isOtherIdentity({ role, org, removed }: IssuedParticipant, { request }: PlannedKit): boolean {
  return !removed && (role !== request.subject.role || org !== request.org);
}

function addSerials(
  revoke: Map<string, RevocationReason>,
  { certificates }: IssuedParticipant,
  reason: RevocationReason,
): void {
  for (const { serialNumber, revoked } of certificates) {
    if (revoked === undefined) revoke.set(serialNumber, reason);
  }
}

function lastKitOf({ certificates }: IssuedParticipant): string {
  return certificates.at(-1)?.kitId ?? "";
}

async function revokeOld(
  { revoke }: Plan,
  { root, latest, state }: ExistingProject,
  modules: ProvisionModules,
): Promise<RevocationList | undefined> {
  if (revoke.size === 0) return undefined;
  const revoked = [...revoke].map(([serial, reason]) => ({ serialNumber: fromHex(serial), reason }));
  return await nextRevocationList({ root, latest, notAfterMs: notAfterOf(state) }, revoked, modules);
}

interface Material extends ExistingProject {
  readonly machines: readonly Machine[];
  readonly options: UpdateProjectOptions;
}

async function makeKits(
  issue: readonly PlannedIssue[],
  material: Material,
  modules: ProvisionModules,
): Promise<ReadonlyMap<string, StartupKit>> {
  const { root, latest, machines, options } = material;
  const nowMs = modules.clock.now();
  const kits = new Map<string, StartupKit>();
  for (const { request } of issue) {
    const { subject, lifetimeMs = options.lifetimeMs } = request;
    const timed = { ...request, nowMs, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) };
    const keys = subject.role === "server" ? await serverKeys(material, modules) : undefined;
    const ofServer = keys === undefined ? {} : { ofServer: { ...keys, machines, revocationList: latest } };
    kits.set(subject.name, await createKit({ ...timed, ...ofServer }, root, modules));
  }
  return kits;
}

/** A CA with less time than this left is not handed on. */
const ENROLMENT_RESERVE_MS = 45 * 86_400_000;
/** A revoked certificate that has expired is remembered until a list that follows its end has left it out: two lists. */
const LISTED_MS = 2 * REVOCATION_LIFETIME_MS.root;

async function serverKeys(
  { root, state, server, options }: Material,
  modules: ProvisionModules,
): Promise<Partial<ServerKeys> & Pick<ServerKeys, "enrolment">> {
  const project = requireName(state.project, "the project");
  const isFirst = !state.participants.some(({ role }) => role === "server");
  if (isFirst || options.newServerKeys) return { enrolment: await createEnrolmentCa(project, root, modules) };
  const keys = await server?.();
  if (keys === undefined) {
    throw new ProvisionError(
      "ERR_SERVER_KEYS_MISSING",
      "the server needs a new kit, and its old one is not here",
    );
  }
  const { storageKey, enrolment } = keys;
  const isLasting = enrolment.certificate.notAfterMs > modules.clock.now() + ENROLMENT_RESERVE_MS;
  return { storageKey, enrolment: isLasting ? enrolment : await createEnrolmentCa(project, root, modules) };
}

async function createEnrolmentCa(
  project: Name,
  root: FileSigner,
  modules: ProvisionModules,
): Promise<EnrolmentMaterial> {
  const { crypto, clock } = modules;
  const key = await crypto.generateSigningKey(1, { extractable: true });
  const request = { project, publicKey: key.publicKey, nowMs: clock.now() };
  const certificate = await issueEnrolmentCa(request, root, modules);
  return { certificate, pkcs8: await crypto.exportSigningKey(key) };
}

interface StateMaterial {
  readonly existing: ExistingProject;
  readonly revocationList: RevocationList | undefined;
  readonly nowMs: number;
}

function nextState(
  { issue, removed, revoke }: Plan,
  kits: ReadonlyMap<string, StartupKit>,
  { existing: { state }, revocationList, nowMs }: StateMaterial,
): ProjectState {
  const listNumber = revocationList?.number ?? state.listNumber;
  const participants = new Map<string, IssuedParticipant>();
  for (const before of state.participants) {
    // Only a certificate that could still be used, or that the list may still name, needs to be known.
    const certificates = before.certificates
      .filter(
        ({ notAfterMs, kitId, revoked }) =>
          notAfterMs >= (revoked === undefined ? nowMs : nowMs - LISTED_MS) || kitId === lastKitOf(before),
      )
      .map((certificate) => {
        const reason = certificate.revoked ?? revoke.get(certificate.serialNumber);
        return reason === undefined ? certificate : { ...certificate, revoked: reason };
      });
    const gone = before.removed || removed.has(before.name) ? { removed: true } : {};
    participants.set(before.name, { ...before, certificates, ...gone });
  }
  for (const { request, factsDigest } of issue) {
    const { name, role } = request.subject;
    const kit = kits.get(name);
    if (kit === undefined) continue;
    const certificates = [...(participants.get(name)?.certificates ?? []), issuedCertificate(kit)];
    participants.set(name, { name, role, org: request.org, facts: factsDigest, certificates });
  }
  return { ...state, listNumber, participants: [...participants.values()] };
}
