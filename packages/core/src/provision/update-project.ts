import type { Bytes } from "../bytes/index.ts";
import { PkiError, ProvisionError } from "../errors/index.ts";
import {
  type FileSigner,
  issueEnrolmentCa,
  type Name,
  type RevocationList,
  requireName,
} from "../pki/index.ts";
import { createKit, type StartupKit } from "./create-kit.ts";
import type { ProvisionModules } from "./create-project.ts";
import { parseProjectDefinition } from "./definition.ts";
import { isLastingEnrolment } from "./enrolment-end.ts";
import { LOCAL_ROSTER, localFiles } from "./kit-files.ts";
import { type EnrolmentMaterial, machinesOf, plannedKits } from "./kit-request.ts";
import type { Machine } from "./machines.ts";
import { nextState, type PlannedIssue, planUpdate, revokeOld } from "./plan-update.ts";
import type { ProjectState } from "./project-state.ts";
import { encodeRoster } from "./roster.ts";

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
  /** Names that make their keys themselves, and whose requests `signRequest` has to sign yet. */
  readonly waiting: readonly string[];
  /** Names that are revoked and stay so, though the definition has them. */
  readonly blocked: readonly string[];
  /** The root's next list, when a certificate was revoked. */
  readonly revocationList: RevocationList | undefined;
  /** All machines that have kits, for a server whose kit stays. */
  readonly machines: readonly Machine[];
  /** What the server holds jobs against, JSON. */
  readonly roster: Bytes;
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
  const roster = encodeRoster(project);
  const kits = await makeKits(plan.issue, { ...existing, latest, machines, roster, options }, modules);
  return {
    kits,
    replaced: plan.replaced,
    removed: plan.removed,
    waiting: plan.waiting,
    blocked: plan.blocked,
    revocationList,
    machines,
    roster,
    state: nextState(plan, kits, { state: existing.state, revocationList, nowMs: modules.clock.now() }),
  };
}

/** @throws ProvisionError `ERR_PROJECT_INVALID` for the definition of another project; PkiError `ERR_CERTIFICATE_EXPIRED` */
export function requireSameProject(
  name: string,
  { state, root }: Pick<ExistingProject, "state" | "root">,
  { clock }: ProvisionModules,
): void {
  if (name !== state.project) {
    throw new ProvisionError("ERR_PROJECT_INVALID", `name: this folder is of the project ${state.project}`);
  }
  if (clock.now() > root.certificate.notAfterMs) {
    throw new PkiError("ERR_CERTIFICATE_EXPIRED", "the root of the project has expired");
  }
}

interface Material extends ExistingProject {
  readonly machines: readonly Machine[];
  readonly roster: Bytes;
  readonly options: UpdateProjectOptions;
}

async function makeKits(
  issue: readonly PlannedIssue[],
  material: Material,
  modules: ProvisionModules,
): Promise<ReadonlyMap<string, StartupKit>> {
  const { root, latest, machines, roster, options } = material;
  const nowMs = modules.clock.now();
  const kits = new Map<string, StartupKit>();
  for (const { request } of issue) {
    const { subject, lifetimeMs = options.lifetimeMs } = request;
    const timed = { ...request, nowMs, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) };
    const keys = subject.role === "server" ? await serverKeys(material, modules) : undefined;
    const ofServer = keys === undefined ? {} : { ofServer: { ...keys, machines, revocationList: latest } };
    const kit = await createKit({ ...timed, ...ofServer }, root, modules);
    // A kit that is put over an older one must not put the policy to begin with over the organization's own.
    const isFirst = !material.state.participants.some(({ name }) => name === subject.name);
    const files = new Map([...kit.files, ...(isFirst ? localFiles(kit.role) : [])]);
    if (kit.role === "server") files.set(LOCAL_ROSTER, roster);
    kits.set(subject.name, { ...kit, files });
  }
  return kits;
}

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
  const nowMs = modules.clock.now();
  if (isLastingEnrolment(enrolment.certificate, nowMs)) return { storageKey, enrolment };
  // Of the same key: it goes on signing the list that those look at who have certificates of the one before.
  const request = { project, publicKey: enrolment.certificate.publicKey.spki, nowMs };
  const certificate = await issueEnrolmentCa(request, root, modules);
  return { storageKey, enrolment: { ...enrolment, certificate } };
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
