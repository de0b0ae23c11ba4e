import { type Bytes, toHex } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import {
  type Issuer,
  issueParticipant,
  openCertificateRequest,
  requireName,
  type Subject,
  subjectOf,
} from "../pki/index.ts";
import type { EnrolmentModules } from "./invite.ts";
import { type InviteRecord, InviteStore } from "./invite-store.ts";

/** What a page sends to enrol. */
export interface Redemption {
  /** Code from the join link. */
  readonly code: Bytes;
  /** PKCS#10 request, DER. Only its key counts. */
  readonly request: Bytes;
}

/** What the server enrols with. */
export interface EnrolmentAuthority {
  /** Name of the project. */
  readonly project: string;
  /** The enrolment CA, from the server's kit. */
  readonly issuer: Required<Issuer>;
  /** Names that kits carry, which no enrolled site may have. */
  readonly isProvisioned?: (name: string) => boolean;
}

/** A site that enrolled. */
export interface EnrolledSite {
  /** Name that it got. */
  readonly name: string;
  /** Organization of the invite. */
  readonly org: string;
  /** Its certificate and the enrolment CA's, DER. */
  readonly chain: readonly Bytes[];
  /** SHA-256 of its certificate. */
  readonly leafDigest: Bytes;
  /** When its certificate expires, ms since 1970. */
  readonly notAfterMs: number;
  /** Digest of the invite's code, for the audit record. */
  readonly inviteDigest: Bytes;
  /** Name that the request asked for; a difference to {@link name} is audited. */
  readonly requestedName: string | undefined;
}

/**
 * Turns an invite's code and a request into a certificate. Organization, role and the form of the name come from the
 * invite; of the request counts the key, and its CN as a wish when it has that form and is free. Asked again with the
 * same key, it issues again for the same name.
 *
 * @throws PkiError `ERR_INVITE_REFUSED` for a code that is unknown, used up or expired, without telling which;
 *   `ERR_REQUEST_MALFORMED`, `ERR_CERTIFICATE_SIGNATURE`, `ERR_CERTIFICATE_UNSUPPORTED` for the request;
 *   `ERR_CERTIFICATE_EXPIRED` when the enrolment CA has expired
 */
export async function redeemInvite(
  { code, request: requestDer }: Redemption,
  authority: EnrolmentAuthority,
  modules: EnrolmentModules,
): Promise<EnrolledSite> {
  const { metadata, crypto, clock } = modules;
  const nowMs = clock.now();
  requireUsable(authority.issuer, nowMs);
  const request = await openCertificateRequest(requestDer, { crypto });
  const store = new InviteStore(metadata);
  const inviteDigest = await crypto.sha256(code);
  const invite = await store.find(inviteDigest);
  if (invite === undefined) throw refused("unknown code");
  if (nowMs >= invite.expiresAtMs) throw refused("expired");
  const key = toHex(await crypto.sha256(request.publicKey.spki));
  if (!(await store.claimUse(inviteDigest, invite.uses, key))) throw refused("used up");
  const requestedName = request.subject.commonName;
  const subject = await claimSubject({ store, invite, key, requestedName }, authority);
  const org = requireName(invite.org, "the organization");
  const certificate = await issueParticipant(
    { subject, org, publicKey: request.publicKey.spki, inviteDigest, nowMs },
    authority.issuer,
    { crypto },
  );
  return {
    name: subject.name,
    org,
    chain: [certificate.der, authority.issuer.certificate.der],
    leafDigest: certificate.digest,
    notAfterMs: certificate.notAfterMs,
    inviteDigest,
    requestedName,
  };
}

/** What went wrong is for the local log only: who tries codes learns nothing. */
function refused(cause: string): PkiError {
  return new PkiError("ERR_INVITE_REFUSED", "the invite is not valid", { cause: new Error(cause) });
}

function requireUsable({ certificate }: Required<Issuer>, nowMs: number): void {
  if (nowMs <= certificate.notAfterMs) return;
  throw new PkiError("ERR_CERTIFICATE_EXPIRED", "the enrolment CA has expired: provision the project again");
}

interface Claim {
  readonly store: InviteStore;
  readonly invite: InviteRecord;
  readonly key: string;
  readonly requestedName: string | undefined;
}

async function claimSubject(claim: Claim, { project, isProvisioned }: EnrolmentAuthority): Promise<Subject> {
  const { store, invite, key, requestedName } = claim;
  const begin = `${invite.prefix}-`;
  const names = await store.names(begin);
  const own = [...names].find(([, owner]) => owner === key)?.[0];
  const wished = requestedName?.startsWith(begin) ? [requestedName] : [];
  for (const name of candidates(own, wished, { begin, taken: names })) {
    const subject = subjectOf(project, "site", name);
    if (subject === undefined || isProvisioned?.(name)) continue;
    if (await store.claimName(name, key)) return subject;
  }
  throw refused("no name is free");
}

/** Names beyond all that are taken, so that a few gateways at once find one each. */
const SPARE_NAMES = 1000;

function* candidates(
  own: string | undefined,
  wished: readonly string[],
  { begin, taken }: { readonly begin: string; readonly taken: ReadonlyMap<string, string> },
): Generator<string> {
  if (own !== undefined) yield own;
  yield* wished;
  for (let number = 1; number <= taken.size + SPARE_NAMES; number++) {
    const name = `${begin}${number}`;
    if (!taken.has(name)) yield name;
  }
}
