import { type Bytes, fromHex, toHex } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import {
  type FileSigner,
  REVOCATION_LIFETIME_MS,
  type RevocationList,
  type RevocationReason,
} from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import type { StartupKit } from "./create-kit.ts";
import type { ProvisionModules } from "./create-project.ts";
import { factsBytes, isMutualTls, type PlannedKit } from "./kit-request.ts";
import { type IssuedParticipant, issuedCertificate, notAfterOf, type ProjectState } from "./project-state.ts";
import { nextRevocationList } from "./revoke.ts";

/** A kit to make. */
export interface PlannedIssue extends PlannedKit {
  /** SHA-256 of its facts, lower-case hex. */
  readonly factsDigest: string;
}

/** What a changed definition asks for. */
export interface UpdatePlan {
  /** Kits to make. */
  readonly issue: readonly PlannedIssue[];
  /** Names whose kits those replace, with the identifier of the one before. */
  readonly replaced: ReadonlyMap<string, string>;
  /** Names that the definition no longer has, with the identifiers of their last kits. */
  readonly removed: ReadonlyMap<string, string>;
  /** Names that make their keys themselves: their kits wait for a request. */
  readonly waiting: readonly string[];
  /** Names that are revoked and stay so, though the definition has them. */
  readonly blocked: readonly string[];
  /** Serial numbers to revoke, with the reason. */
  readonly revoke: ReadonlyMap<string, RevocationReason>;
}

/** What {@link planUpdate} takes beside definition and state. */
export interface PlanOptions {
  /** Names that get a new kit though nothing changed. */
  readonly renew?: readonly string[];
  /** Name whose request is at hand. */
  readonly requested?: string | undefined;
  /** Hashes. */
  readonly crypto: CryptoProvider;
}

/** Compares a definition with what was issued. @throws ProvisionError `ERR_PARTICIPANT_UNKNOWN` for a name in `renew` */
export async function planUpdate(
  planned: readonly PlannedKit[],
  { participants }: ProjectState,
  { renew = [], requested, crypto }: PlanOptions,
): Promise<UpdatePlan> {
  const known = new Map(participants.map((participant) => [participant.name, participant]));
  const wanted = new Set<string>(planned.map(({ request }) => request.subject.name));
  requireKnown(renew, wanted);
  const steps = await Promise.all(
    planned.map((kit) => stepOf(kit, known.get(kit.request.subject.name), { renew, crypto, requested })),
  );
  const namesOf = (need: Need) => steps.filter((step) => step.need === need).map(({ name }) => name);
  const issue = steps.filter(({ need }) => need === "kit").map(({ kit }) => kit);
  const revoke = new Map<string, RevocationReason>();
  const removed = new Map<string, string>();
  for (const { before, reason } of steps) {
    if (before !== undefined && reason !== undefined) addSerials(revoke, before, reason);
  }
  for (const before of participants) {
    if (before.removed || wanted.has(before.name)) continue;
    addSerials(revoke, before, "cessationOfOperation");
    removed.set(before.name, lastKitOf(before));
  }
  const replaced = replacedBy(issue, known);
  return { issue, replaced, removed, waiting: namesOf("waiting"), blocked: namesOf("blocked"), revoke };
}

function replacedBy(
  issue: readonly PlannedIssue[],
  known: ReadonlyMap<string, IssuedParticipant>,
): ReadonlyMap<string, string> {
  return new Map(
    issue.flatMap(({ request: { subject } }) => {
      const before = known.get(subject.name);
      return before === undefined || before.removed ? [] : [[subject.name, lastKitOf(before)] as const];
    }),
  );
}

type Need = "kit" | "waiting" | "blocked" | "nothing";

interface Step {
  readonly name: string;
  readonly kit: PlannedIssue;
  readonly before: IssuedParticipant | undefined;
  readonly need: Need;
  /** Why the certificates so far are revoked, if they are. */
  readonly reason: RevocationReason | undefined;
}

async function stepOf(
  planned: PlannedKit,
  before: IssuedParticipant | undefined,
  { renew = [], requested, crypto }: PlanOptions,
): Promise<Step> {
  const { name } = planned.request.subject;
  const factsDigest = toHex(await crypto.sha256(factsBytes(planned)));
  const kit = { ...planned, factsDigest };
  const wanted = needOf(before, { factsDigest, isRenewed: renew.includes(name) });
  const need = wanted === "kit" && planned.isRequested && name !== requested ? "waiting" : wanted;
  const reason = before === undefined ? undefined : reasonToRevoke(before, kit);
  // Who waits for a kit goes on until it is there, unless something was taken away.
  const isDue = need !== "waiting" || reason === "affiliationChanged";
  return { name, kit, before, need, reason: isDue ? reason : undefined };
}

function requireKnown(renew: readonly string[], wanted: ReadonlySet<string>): void {
  const unknown = renew.find((name) => !wanted.has(name));
  if (unknown === undefined) return;
  throw new ProvisionError("ERR_PARTICIPANT_UNKNOWN", `the definition has no ${unknown}`);
}

function needOf(
  before: IssuedParticipant | undefined,
  { factsDigest, isRenewed }: { readonly factsDigest: string; readonly isRenewed: boolean },
): Exclude<Need, "waiting"> {
  if (before === undefined || before.removed || isRenewed) return "kit";
  // Who was revoked by hand does not come back because a line of the definition still names him.
  if (before.certificates.at(-1)?.revoked !== undefined) return "blocked";
  return before.facts === factsDigest ? "nothing" : "kit";
}

/** A certificate says role, organization and whether TLS must prove it: an old one would go on giving what was taken away. */
function reasonToRevoke(
  { role, org, removed, mutualTls, facts }: IssuedParticipant,
  { request, factsDigest }: PlannedIssue,
): RevocationReason | undefined {
  if (removed) return undefined;
  if (role !== request.subject.role || org !== request.org) return "affiliationChanged";
  const isStricter = facts !== factsDigest && isMutualTls(request) && mutualTls !== true;
  return isStricter ? "superseded" : undefined;
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

/** A revoked certificate that has expired is remembered until a list that follows its end has left it out: two lists. */
const LISTED_MS = 2 * REVOCATION_LIFETIME_MS.root;

/** What {@link revokeOld} goes on from. */
export interface RevokeOldBasis {
  /** The root with its key. */
  readonly root: FileSigner;
  /** The revocation list that was issued last, DER. */
  readonly latest: Bytes;
  /** What was issued before. */
  readonly state: ProjectState;
}

/** Issues the root's next list when a plan revokes somebody. */
export async function revokeOld(
  { revoke }: UpdatePlan,
  { root, latest, state }: RevokeOldBasis,
  modules: ProvisionModules,
): Promise<RevocationList | undefined> {
  if (revoke.size === 0) return undefined;
  const revoked = [...revoke].map(([serial, reason]) => ({ serialNumber: fromHex(serial), reason }));
  return await nextRevocationList({ root, latest, notAfterMs: notAfterOf(state) }, revoked, modules);
}

/** What {@link nextState} goes on from. */
export interface StateMaterial {
  /** What was issued before. */
  readonly state: ProjectState;
  /** The root's next list, if there is one. */
  readonly revocationList: RevocationList | undefined;
  /** Time of issue, ms since 1970. */
  readonly nowMs: number;
}

/** What was issued once a plan was carried out. @param kits those that were made, by name */
export function nextState(
  { issue, removed, revoke }: UpdatePlan,
  kits: ReadonlyMap<string, Pick<StartupKit, "kitId" | "certificate">>,
  { state, revocationList, nowMs }: StateMaterial,
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
    const mode = isMutualTls(request) ? { mutualTls: true } : {};
    participants.set(name, { name, role, org: request.org, facts: factsDigest, ...mode, certificates });
  }
  return { ...state, listNumber, participants: [...participants.values()] };
}
