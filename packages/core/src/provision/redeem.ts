import type { Bytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { LIFETIME_MS, openCertificateRequest, subjectOf } from "../pki/index.ts";
import { type Device, type EnrolledParticipant, EnrolledParticipants } from "./enrolled-participants.ts";
import { type EnrolmentModules, keyName } from "./invite.ts";
import { type InviteRecord, InviteStore } from "./invite-store.ts";
import {
  type EnrolledSite,
  type EnrolmentAuthority,
  issueSite,
  requireNotPutOut,
  requireUsableIssuer,
} from "./site-certificate.ts";

/** What a page sends to enrol. */
export interface Redemption {
  /** Code from the join link. */
  readonly code: Bytes;
  /** PKCS#10 request, DER. Only its key counts. */
  readonly request: Bytes;
}

/** A site that enrolled by an invite. */
export interface RedeemedSite extends EnrolledSite {
  /** Name that the request asked for; a difference to the one it got is audited. */
  readonly requestedName: string | undefined;
}

/**
 * Turns an invite's code and a request into a certificate. Organization, role and the form of the name come from the
 * invite; of the request counts the key, and its CN as a wish when it has that form and is free. Asked again with the
 * same key, it issues again for the same name.
 *
 * @throws PkiError `ERR_INVITE_REFUSED` for a code that is unknown, used up, withdrawn or expired, without telling which;
 *   `ERR_REQUEST_MALFORMED`, `ERR_CERTIFICATE_SIGNATURE`, `ERR_CERTIFICATE_UNSUPPORTED` for the request;
 *   `ERR_CERTIFICATE_EXPIRED` when the enrolment CA has expired; `ERR_NAME_TAKEN`, `ERR_QUOTA_EXCEEDED` when the one name
 *   of the invite is another's, or has as many devices as it may; `ERR_REVOKED`, `ERR_SUSPENDED` for a key that was put out, or
 *   a further device of a name that is
 */
export async function redeemInvite(
  { code, request: requestDer }: Redemption,
  authority: EnrolmentAuthority,
  modules: EnrolmentModules,
): Promise<RedeemedSite> {
  const { metadata, crypto, clock } = modules;
  const nowMs = clock.now();
  requireUsableIssuer(authority, nowMs);
  const request = await openCertificateRequest(requestDer, { crypto });
  const store = new InviteStore(metadata);
  const inviteDigest = await crypto.sha256(code);
  const invite = await store.find(inviteDigest);
  if (invite === undefined) throw refused("unknown code");
  if (nowMs >= invite.expiresAtMs) throw refused("expired");
  if (invite.isWithdrawn === true) throw refused("withdrawn");
  // A device that was put out does not let in the next one, by a link that it made before.
  if (invite.byKey !== undefined) await requireNotPutOut(invite.byKey, authority, modules);
  const { spki } = request.publicKey;
  const key = await keyName(spki, modules);
  await requireNotPutOut(key, authority, modules);
  if (!(await store.claimUse(inviteDigest, invite.uses, key))) throw refused("used up");
  const requestedName = request.subject.commonName;
  const claim: Claim = {
    participants: new EnrolledParticipants(metadata),
    invite,
    device: { key, notAfterMs: nowMs + LIFETIME_MS.enrolledSite, isRevoked: false },
    requestedName,
    nowMs,
  };
  const name = await claimName(claim, authority);
  const site = await issueSite({ name, org: invite.org, spki, inviteDigest }, authority, modules);
  return { ...site, requestedName };
}

/** What went wrong is for the local log only: who tries codes learns nothing. */
function refused(cause: string): PkiError {
  return new PkiError("ERR_INVITE_REFUSED", "the invite is not valid", { cause: new Error(cause) });
}

interface Claim {
  readonly participants: EnrolledParticipants;
  readonly invite: InviteRecord;
  readonly device: Device;
  readonly requestedName: string | undefined;
  readonly nowMs: number;
}

async function claimName(claim: Claim, authority: EnrolmentAuthority): Promise<string> {
  const { participants, invite, device, nowMs } = claim;
  const { name } = invite;
  if (name === undefined) return await claimNumbered(claim, authority);
  if (authority.isProvisioned?.(name)) throw new PkiError("ERR_NAME_TAKEN", `${name} has a kit`);
  requireNameNotSuspended(name, authority);
  await participants.addDevice(name, invite, { device, nowMs });
  return name;
}

/** A device that was suspended would otherwise let in the next one. */
function requireNameNotSuspended(name: string, { suspensions }: EnrolmentAuthority): void {
  const isSuspended = suspensions?.held.some(
    (decision) => decision.kind === "suspend" && decision.role === "site" && decision.name === name,
  );
  if (isSuspended) throw new PkiError("ERR_SUSPENDED", `a certificate of ${name} is suspended`);
}

async function claimNumbered(
  { participants, invite, device, requestedName }: Claim,
  { project, isProvisioned }: EnrolmentAuthority,
): Promise<string> {
  const begin = `${invite.prefix ?? "guest"}-`;
  const taken = await participants.under(begin);
  const own = [...taken].find(([, { org, devices }]) => org === invite.org && isHeldBy(devices, device))?.[0];
  const wished = requestedName?.startsWith(begin) ? [requestedName] : [];
  for (const name of candidates(own, wished, { begin, taken })) {
    if (subjectOf(project, "site", name) === undefined || isProvisioned?.(name)) continue;
    if (await participants.claim(name, invite, device)) return name;
  }
  throw refused("no name is free");
}

const isHeldBy = (devices: EnrolledParticipant["devices"], { key }: Device): boolean =>
  devices.some((each) => each.key === key && !each.isRevoked);

/** Names beyond all that are taken, so that a few gateways at once find one each. */
const SPARE_NAMES = 1000;

function* candidates(
  own: string | undefined,
  wished: readonly string[],
  { begin, taken }: { readonly begin: string; readonly taken: ReadonlyMap<string, unknown> },
): Generator<string> {
  if (own !== undefined) yield own;
  yield* wished;
  for (let number = 1; number <= taken.size + SPARE_NAMES; number++) {
    const name = `${begin}${number}`;
    if (!taken.has(name)) yield name;
  }
}
