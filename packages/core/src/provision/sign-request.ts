import type { Bytes } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { issueEnrolmentCa, type RevocationList, requireName } from "../pki/index.ts";
import { createKeylessKit, type KeylessKit } from "./create-kit.ts";
import type { ProvisionModules } from "./create-project.ts";
import { type ProjectDefinition, parseProjectDefinition } from "./definition.ts";
import { machinesOf, type PlannedKit, plannedKits } from "./kit-request.ts";
import type { Machine } from "./machines.ts";
import { nextState, planUpdate, type RevokeOldBasis, revokeOld } from "./plan-update.ts";
import type { ProjectState } from "./project-state.ts";
import type { OpenedKitRequest } from "./request-kit.ts";
import { encodeRoster } from "./roster.ts";
import { requireSameProject } from "./update-project.ts";

/** What signing a request led to. */
export interface SignedRequest {
  /** The kit, which holds no private key. */
  readonly kit: KeylessKit;
  /** Kit that it replaces: the identifier of the one before, by name. */
  readonly replaced: ReadonlyMap<string, string>;
  /** The root's next list, when a certificate was revoked. */
  readonly revocationList: RevocationList | undefined;
  /** All machines that have kits, for a server whose kit stays. */
  readonly machines: readonly Machine[];
  /** What the server holds jobs against, JSON. */
  readonly roster: Bytes;
  /** What was issued, this included. */
  readonly state: ProjectState;
}

/**
 * Issues the kit of a participant that made its keys itself, as the definition has it: the request proves keys, and what
 * it asks for must be what the definition says. Nobody else's kit changes.
 *
 * @param definition checked here
 * @throws ProvisionError `ERR_PROJECT_INVALID`, `ERR_PARTICIPANT_UNKNOWN`, `ERR_REQUEST_DIFFERS`; PkiError
 *   `ERR_CERTIFICATE_EXPIRED` for the root
 */
export async function signRequest(
  definition: unknown,
  { existing, request }: { readonly existing: RevokeOldBasis; readonly request: OpenedKitRequest },
  modules: ProvisionModules,
): Promise<SignedRequest> {
  const project = parseProjectDefinition(definition);
  requireSameProject(project.name, existing, modules);
  const planned = requireWanted(project, request);
  const { state } = existing;
  const { name } = request;
  const own = {
    ...state,
    participants: state.participants.filter((participant) => participant.name === name),
  };
  const plan = await planUpdate([planned], own, { renew: [name], requested: name, crypto: modules.crypto });
  const revocationList = await revokeOld(plan, existing, modules);
  const latest = { ...existing, latest: revocationList?.der ?? existing.latest };
  const kit = await makeKit({ planned, project, request }, latest, modules);
  const nowMs = modules.clock.now();
  return {
    kit,
    replaced: plan.replaced,
    revocationList,
    machines: machinesOf(project),
    roster: encodeRoster(project),
    state: nextState(plan, new Map([[name, kit]]), { state, revocationList, nowMs }),
  };
}

function requireWanted(project: ProjectDefinition, { name, org, role }: OpenedKitRequest): PlannedKit {
  const planned = plannedKits(project).find(({ request }) => request.subject.name === name);
  if (planned === undefined) {
    throw new ProvisionError(
      "ERR_PARTICIPANT_UNKNOWN",
      `the definition has no ${name}, which asks for a kit`,
    );
  }
  const { subject, org: wanted } = planned.request;
  if (!planned.isRequested) throw differs(`the definition does not say that ${name} makes its key itself`);
  if (subject.role !== role) throw differs(`${name} asks to be ${role}, the definition says ${subject.role}`);
  if (wanted !== org) throw differs(`${name} asks for organization ${org}, the definition says ${wanted}`);
  return planned;
}

function differs(detail: string): ProvisionError {
  return new ProvisionError("ERR_REQUEST_DIFFERS", detail);
}

interface Wanted {
  readonly planned: PlannedKit;
  readonly project: ProjectDefinition;
  readonly request: OpenedKitRequest;
}

async function makeKit(
  { planned, project, request }: Wanted,
  { root, latest }: RevokeOldBasis,
  modules: ProvisionModules,
): Promise<KeylessKit> {
  const nowMs = modules.clock.now();
  const { publicKey, enrolmentKey } = request;
  const kit = { ...planned.request, nowMs };
  if (enrolmentKey === undefined) return await createKeylessKit(kit, { root, publicKey }, modules);
  const ca = { project: requireName(project.name, "the project"), publicKey: enrolmentKey.spki, nowMs };
  const enrolment = await issueEnrolmentCa(ca, root, modules);
  const ofServer = { enrolment, machines: machinesOf(project), revocationList: latest };
  return await createKeylessKit(kit, { root, publicKey, ofServer }, modules);
}
