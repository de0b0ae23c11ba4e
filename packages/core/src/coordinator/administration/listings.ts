import { fromHex, toHex } from "../../bytes/index.ts";
import {
  type AdministrationKind,
  administrationQuery,
  certificateList,
  inviteList,
  type Listed,
  type ListedCertificate,
  type ListedInvite,
  type ListedRequest,
  MAX_LISTED,
  requestList,
} from "../../message/index.ts";
import { type Participant, parseCertificate, type SuspensionDecision } from "../../pki/index.ts";
import type { InviteRecord, InviteStore, RequestRecord } from "../../provision/index.ts";
import { type MessageRoute, on, type SendOptions, type Session } from "../../session/index.ts";
import { Studies } from "../studies.ts";
import type { AdministrationModules, IssuedCertificate } from "./options.ts";

/** Answers what administrators ask; who administers one organization is shown nothing of others. */
export function listingRoute(invites: InviteStore, modules: AdministrationModules): MessageRoute {
  return on(administrationQuery, async ({ kind, after = "", study }, { messageId }, session) => {
    const listing: Listing = { actor: session.peer, after, study, invites, modules };
    await answer(kind, listing, (send) => send(session, { inReplyTo: messageId }));
  });
}

interface Listing {
  readonly actor: Participant;
  readonly after: string;
  /** Of certificates: those of its sites alone. */
  readonly study: string | undefined;
  readonly invites: InviteStore;
  readonly modules: AdministrationModules;
}

type Sending = (session: Session, options: SendOptions) => Promise<unknown>;

async function answer(
  kind: AdministrationKind,
  listing: Listing,
  reply: (send: Sending) => Promise<unknown>,
): Promise<void> {
  switch (kind) {
    case "invites": {
      const page = await invitePage(listing);
      await reply((session, options) => session.send(inviteList, page, options));
      return;
    }
    case "requests": {
      const page = await requestPage(listing);
      await reply((session, options) => session.send(requestList, page, options));
      return;
    }
    case "certificates": {
      const page = await certificatePage(listing);
      await reply((session, options) => session.send(certificateList, page, options));
    }
  }
}

/** What an administrator may see: everything, or what belongs to the own organization. */
const isVisible = ({ role, org: own }: Participant, org: string): boolean =>
  role === "project_admin" || own === org;

/** A certificate costs milliseconds to parse: others have their turn in between. */
const AT_ONCE = 16;

/** One page of what is there, in the order of the cursors, which are made of what does not change. */
async function pageOf<Entry>(
  sources: ReadonlyMap<string, () => Promise<Entry | undefined>>,
  { after, modules }: Listing,
): Promise<Listed<Entry>> {
  const cursors = [...sources.keys()].filter((cursor) => cursor > after).sort();
  const entries: Entry[] = [];
  let last = "";
  for (const [index, cursor] of cursors.entries()) {
    if (entries.length >= MAX_LISTED) return { entries, next: last };
    if (index % AT_ONCE === AT_ONCE - 1) await modules.clock.yield();
    const entry = await sources.get(cursor)?.();
    last = cursor;
    if (entry !== undefined) entries.push(entry);
  }
  return { entries };
}

async function invitePage(listing: Listing): Promise<Listed<ListedInvite>> {
  const { actor, invites } = listing;
  const visible = [...(await invites.list())].filter(([, { org }]) => isVisible(actor, org));
  return await pageOf(
    new Map(visible.map(([digest, invite]) => [digest, () => listedInvite(digest, invite, invites)])),
    listing,
  );
}

async function listedInvite(
  digest: string,
  { org, prefix = "", name, uses, expiresAtMs, by = "server", isWithdrawn = false }: InviteRecord,
  invites: InviteStore,
): Promise<ListedInvite> {
  return {
    codeDigest: fromHex(digest),
    org,
    names: name ?? prefix,
    isOneName: name !== undefined,
    uses,
    used: await invites.used(digest),
    expiresAtMs,
    by,
    isWithdrawn,
  };
}

/** Requests are of nobody's organization before they are approved: administrators of the project see them. */
async function requestPage(listing: Listing): Promise<Listed<ListedRequest>> {
  const { actor, modules } = listing;
  const requests = modules.enrolment?.requests;
  if (requests === undefined || actor.role !== "project_admin") return { entries: [] };
  const listed = [...(await requests.list())].map(
    ([key, record]) =>
      [key, () => Promise.resolve(listedRequest(key, record, requests.approvalsNeeded))] as const,
  );
  return await pageOf(new Map(listed), listing);
}

function listedRequest(key: string, record: RequestRecord, approvalsNeeded: number): ListedRequest {
  const { name, org, from, requestedAtMs, state, approvals } = record;
  const approvedBy = approvals.map(({ by }) => by);
  return { keyDigest: fromHex(key), name, org, from, requestedAtMs, state, approvedBy, approvalsNeeded };
}

type Found = () => Promise<ListedCertificate | undefined>;

/** What was issued here, who has a session, and what is suspended; a certificate stands in it once. */
async function certificatePage(listing: Listing): Promise<Listed<ListedCertificate>> {
  const { actor, modules } = listing;
  const { enrolment, revocations, sessions } = modules;
  const found = new Map<string, Found>();
  for (const decision of revocations.suspensions.held) {
    const { kind, name, leafDigest } = decision;
    if (kind === "suspend")
      found.set(cursorOf(name, toHex(leafDigest)), () => suspendedAlone(decision, listing));
  }
  for (const issued of (await enrolment?.issued.list()) ?? []) {
    found.set(cursorOf(issued.name, issued.leaf), () => ofIssued(issued, listing));
  }
  for (const { peer } of sessions()) {
    found.set(cursorOf(peer.name, toHex(peer.leafDigest)), () => ofSession(peer, listing));
  }
  const visible: [string, Found][] = [...found].map(([cursor, find]) => [
    cursor,
    async () => {
      const entry = await find();
      if (entry === undefined || !isVisible(actor, entry.org)) return undefined;
      return (await isOfStudy(entry, listing)) ? entry : undefined;
    },
  ]);
  return await pageOf(new Map(visible), listing);
}

/** A study that the asker is not in has no sites for him, as one that is not there. */
async function isOfStudy(
  { name, role }: ListedCertificate,
  { study, actor, modules }: Listing,
): Promise<boolean> {
  if (study === undefined) return true;
  const studies = new Studies(modules, modules);
  if (role !== "site" || studies.actorIn(study, actor) === undefined) return false;
  return studies.isOfStudy(study, { name, invitedTo: await studies.invitedTo(name) });
}

/** Names have no space, and one certificate has one name. */
const cursorOf = (name: string, leaf: string): string => `${name} ${leaf}`;

async function ofSession(peer: Participant, listing: Listing): Promise<ListedCertificate> {
  const { name, org, role, chain, leafDigest } = peer;
  const { notAfterMs } = await parseCertificate(chain[0] ?? new Uint8Array(0), listing.modules);
  const issuer = chain.length > 1 ? "enrolment" : "root";
  const facts = { leaf: leafDigest, name, org, role, issuer, notAfterMs, isConnected: true } as const;
  return { ...facts, ...stateOf(leafDigest, listing.modules.revocations.isRevoked(chain), listing) };
}

async function ofIssued(
  { name, leaf, der, issuer }: IssuedCertificate,
  listing: Listing,
): Promise<ListedCertificate> {
  const { subject, notAfterMs } = await parseCertificate(der, listing.modules);
  const digest = fromHex(leaf);
  const isRevoked = listing.modules.revocations.isRevoked([der, issuer]);
  const org = subject.organization ?? "";
  const facts = { name, org, role: "site", notAfterMs, isConnected: false } as const;
  return { ...facts, leaf: digest, issuer: "enrolment", ...stateOf(digest, isRevoked, listing) };
}

/** Suspended, and not seen here otherwise: an administrator of the project said whose it is. */
function suspendedAlone(
  { leafDigest: leaf, name, org, role }: SuspensionDecision,
  listing: Listing,
): Promise<ListedCertificate | undefined> {
  const facts = { leaf, name, org, role, issuer: "root", notAfterMs: 0, isConnected: false } as const;
  return Promise.resolve({ ...facts, ...stateOf(leaf, false, listing) });
}

function stateOf(
  leaf: Uint8Array<ArrayBuffer>,
  isRevoked: boolean,
  { modules }: Listing,
): Pick<ListedCertificate, "state" | "reason" | "untilMs"> {
  if (isRevoked) return { state: "revoked", reason: "", untilMs: 0 };
  const suspension = modules.revocations.suspensions.of(leaf);
  if (suspension === undefined) return { state: "valid", reason: "", untilMs: 0 };
  return { state: "suspended", reason: suspension.reason, untilMs: suspension.untilMs };
}
