import { type Bytes, toHex } from "../bytes/index.ts";
import { MAX_INVITE_USES } from "../message/index.ts";
import { isMachineName, isName, subjectOf } from "../pki/index.ts";
import type { Clock, CryptoProvider, MetadataStore } from "../platform/index.ts";
import { DEFAULT_INVITE_QUOTA, type InviteQuota, type InviteRecord, InviteStore } from "./invite-store.ts";

/** Whom an invite admits. */
export interface InviteOptions {
  /** Organization of the sites that enrol. */
  readonly org: string;
  /** Study of the project whose sites they become. Default: none. */
  readonly study?: string;
  /** How their names begin: `<prefix>-1`, `<prefix>-2`, ... Default "guest". */
  readonly prefix?: string;
  /** The one name that it gives instead: of a new site, or to a further device of one that enrolled before. */
  readonly name?: string;
  /** How many sites may enrol; default 1. */
  readonly uses?: number;
  /** Until when, ms since 1970. */
  readonly expiresAtMs: number;
}

/** What enrolment works with at the server. */
export interface EnrolmentModules {
  /** Shared among the gateways of a server. */
  readonly metadata: MetadataStore;
  /** Hashes codes, verifies requests, signs certificates. */
  readonly crypto: CryptoProvider;
  /** The local clock. */
  readonly clock: Pick<Clock, "now">;
}

/** An invite that was just made. */
export interface Invite {
  /** 16 random bytes for the join link: secret, and stored nowhere. */
  readonly code: Bytes;
  /** SHA-256 of the code: names the invite in certificates, audit and storage. */
  readonly codeDigest: Bytes;
}

/** Longest life of an invite, ms. */
export const MAX_INVITE_LIFETIME_MS: number = 366 * 86_400_000;

/** A fresh code, and its digest. */
export async function inviteCode({ crypto }: Pick<EnrolmentModules, "crypto">): Promise<Invite> {
  const code = crypto.randomBytes(16);
  return { code, codeDigest: await crypto.sha256(code) };
}

/**
 * What an invite admits, with its defaults.
 * @throws RangeError for options that are out of range
 */
export function inviteTerms(options: InviteOptions, nowMs: number): InviteRecord {
  const { org, study, name, prefix = "guest", uses = 1, expiresAtMs } = options;
  // The longest number that may follow has to fit as well.
  const isPrefix = subjectOf(org, "site", `${prefix}-1`) !== undefined && prefix.length <= 48;
  if (!isName(org) || !isPrefix) {
    throw new RangeError("org and prefix are names; the prefix has at most 48 characters");
  }
  if (name !== undefined && (!isMachineName(name) || uses !== 1)) {
    throw new RangeError("an invite for one name has one use, and the name is that of a site");
  }
  if (!Number.isSafeInteger(uses) || uses < 1 || uses > MAX_INVITE_USES) {
    throw new RangeError(`an invite has 1 to ${MAX_INVITE_USES} uses`);
  }
  const lifetimeMs = expiresAtMs - nowMs;
  if (!Number.isSafeInteger(expiresAtMs) || lifetimeMs <= 0 || lifetimeMs > MAX_INVITE_LIFETIME_MS) {
    throw new RangeError("an invite expires in the future, within a year");
  }
  if (study !== undefined && !isName(study)) throw new RangeError("a study has a name");
  const ofStudy = study === undefined ? {} : { study };
  return { org, ...ofStudy, uses, expiresAtMs, ...(name === undefined ? { prefix } : { name }) };
}

/**
 * Makes an invite for sites that enrol by a link. Only the digest of its code is stored.
 * @throws RangeError for options that are out of range; PkiError `ERR_QUOTA_EXCEEDED`
 */
export async function createInvite(
  options: InviteOptions,
  modules: EnrolmentModules,
  quota: InviteQuota = DEFAULT_INVITE_QUOTA,
): Promise<Invite> {
  const nowMs = modules.clock.now();
  const terms = inviteTerms(options, nowMs);
  const invite = await inviteCode(modules);
  await new InviteStore(modules.metadata).add(invite.codeDigest, terms, { quota, nowMs });
  return invite;
}

/** The name of a key in records: SHA-256 of its SubjectPublicKeyInfo, hex. */
export async function keyName(spki: Bytes, { crypto }: Pick<EnrolmentModules, "crypto">): Promise<string> {
  return toHex(await crypto.sha256(spki));
}
