import { type Bytes, toHex } from "@photinus/core/bytes";
import { PkiError } from "@photinus/core/errors";
import { createCertificateRequest, type Identity, loadIdentity } from "@photinus/core/pki";
import type { SigningKey } from "@photinus/core/platform";
import { type JoinLink, parseJoinFragment } from "@photinus/core/provision";
import { enrolOverSession, renewByKey } from "@photinus/core/session";
import type { StoredIdentity } from "../browser-database.ts";
import type { SiteHostModules } from "./modules.ts";

/** Which project this browser belongs to, or is invited to. */
export interface Membership {
  readonly project: string;
  readonly serverName: string;
  /** SHA-256 of the project's root in lower-case hex. */
  readonly rootFingerprint: string;
  /** The link of this visit; `undefined` on a later one. */
  readonly link: JoinLink | undefined;
  /** What was kept of an earlier visit. */
  readonly stored: StoredIdentity | undefined;
}

/** Who this browser is, ready to connect. */
export interface MemberIdentity {
  readonly identity: Identity;
  /** Root of the project, DER. */
  readonly root: Bytes;
}

type Modules = Pick<SiteHostModules, "crypto" | "clock" | "connector" | "store">;

/**
 * The project that the link leads to; without a link, the one that this browser joined last.
 *
 * @throws PkiError `ERR_INVITE_REFUSED` when the link is incomplete, or there is neither a link nor an identity
 */
export async function findMembership(
  fragment: string,
  { store }: Pick<Modules, "store">,
): Promise<Membership> {
  if (fragment !== "") {
    const link = parseJoinFragment(fragment);
    const rootFingerprint = toHex(link.rootFingerprint);
    const { project, serverName } = link;
    return { project, serverName, rootFingerprint, link, stored: await store.find(project, rootFingerprint) };
  }
  const stored = await store.latest();
  if (stored === undefined) {
    throw new PkiError("ERR_INVITE_REFUSED", "this page was opened without a join link");
  }
  const { project, serverName, rootFingerprint } = stored;
  return { project, serverName, rootFingerprint, link: undefined, stored };
}

/** The name in a stored certificate, if it is still good; empty otherwise. */
export async function knownName(membership: Membership, modules: Modules): Promise<string> {
  const member = await loadStored(membership, modules).catch(() => undefined);
  return member?.identity.participant.name ?? "";
}

/**
 * The identity of this browser: the stored one, or, when there is none or it has expired, a new one by the code of the
 * link. The key is made here and is not extractable. It is stored before the code is sent, so that a page that is
 * closed in between asks again with the same key, which does not use the code up twice.
 *
 * @throws PkiError `ERR_INVITE_REFUSED` and others; WireError when the server is not reached
 */
export async function becomeMember(
  membership: Membership,
  modules: Modules,
  signal: AbortSignal,
): Promise<MemberIdentity> {
  const { link } = membership;
  try {
    const known = await loadOrRenew(membership, modules, signal);
    if (known !== undefined) return known;
  } catch (error) {
    if (link === undefined) throw error;
  }
  if (link === undefined)
    throw new PkiError("ERR_INVITE_REFUSED", "this page was opened without a join link");
  return await enrol(membership, link, { ...modules, signal });
}

/** A certificate that has expired while the browser was closed is renewed by its key, which is here and nowhere else. */
async function loadOrRenew(
  membership: Membership,
  modules: Modules,
  signal: AbortSignal,
): Promise<MemberIdentity | undefined> {
  try {
    return await loadStored(membership, modules);
  } catch (error) {
    const { stored } = membership;
    const hasExpired = error instanceof PkiError && error.code === "ERR_CERTIFICATE_EXPIRED";
    if (!hasExpired || stored === undefined) throw error;
    const { crypto, clock, connector, store } = modules;
    const { project, serverName, root, signingKey } = stored;
    const request = { project, serverName, root, signingKey, name: "browser" };
    const { chain } = await renewByKey(await connector.connect(signal), request, { crypto, clock });
    const renewed = { ...stored, chain, savedAtMs: clock.now() };
    await store.save(renewed);
    return await loadStored({ ...membership, stored: renewed }, modules);
  }
}

async function loadStored(
  { stored, project }: Membership,
  { crypto, clock }: Modules,
): Promise<MemberIdentity | undefined> {
  if (stored === undefined || stored.chain.length === 0) return undefined;
  const { chain, signingKey, root } = stored;
  const identity = await loadIdentity(
    { chain, signingKey },
    { root, project, roles: ["site"], nowMs: clock.now() },
    { crypto },
  );
  return { identity, root };
}

async function enrol(
  membership: Membership,
  link: JoinLink,
  { signal, ...modules }: Modules & { readonly signal: AbortSignal },
): Promise<MemberIdentity> {
  const { crypto, clock, connector, store } = modules;
  const { project, serverName, rootFingerprint } = membership;
  const signingKey = await keyToEnrol(membership, modules);
  const kept = { project, serverName, rootFingerprint, signingKey };
  await store.save({ ...kept, root: new Uint8Array(0), chain: [], savedAtMs: clock.now() });
  const request = await createCertificateRequest({ commonName: "browser" }, signingKey, { crypto });
  const { chain, root } = await enrolOverSession(
    await connector.connect(signal),
    {
      project,
      serverName,
      rootFingerprint: link.rootFingerprint,
      inviteCode: link.code,
      request,
      signingKey,
    },
    { crypto, clock },
  );
  await store.save({ ...kept, root, chain, savedAtMs: clock.now() });
  const identity = await loadIdentity(
    { chain, signingKey },
    { root, project, roles: ["site"], nowMs: clock.now() },
    { crypto },
  );
  return { identity, root };
}

/** The key of an enrolment that was cut off, else a new one. */
async function keyToEnrol({ stored }: Membership, { crypto }: Modules): Promise<SigningKey> {
  if (stored !== undefined && stored.chain.length === 0) return stored.signingKey;
  return await crypto.generateSigningKey(1, { extractable: false });
}
