import type { Bytes } from "../bytes/index.ts";
import { isName, subjectOf } from "../pki/index.ts";
import type { Clock, CryptoProvider, MetadataStore } from "../platform/index.ts";
import { InviteStore } from "./invite-store.ts";

/** Most sites that one invite admits. */
const MAX_USES = 10_000;

/** Whom an invite admits. */
export interface InviteOptions {
  /** Organization of the sites that enrol. */
  readonly org: string;
  /** How their names begin: `<prefix>-1`, `<prefix>-2`, ... Default "guest". */
  readonly prefix?: string;
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

/**
 * Makes an invite for sites that enrol by a link. Only the digest of its code is stored.
 * @throws RangeError for options that are out of range
 */
export async function createInvite(
  { org, prefix = "guest", uses = 1, expiresAtMs }: InviteOptions,
  { metadata, crypto, clock }: EnrolmentModules,
): Promise<Invite> {
  // The longest number that may follow has to fit as well.
  const isNamed = isName(org) && subjectOf(org, "site", `${prefix}-1`) !== undefined && prefix.length <= 48;
  if (!isNamed) throw new RangeError("org and prefix are names; the prefix has at most 48 characters");
  if (!Number.isSafeInteger(uses) || uses < 1 || uses > MAX_USES) {
    throw new RangeError(`an invite has 1 to ${MAX_USES} uses`);
  }
  if (!Number.isSafeInteger(expiresAtMs) || expiresAtMs <= clock.now()) {
    throw new RangeError("an invite expires in the future");
  }
  const code = crypto.randomBytes(16);
  const codeDigest = await crypto.sha256(code);
  await new InviteStore(metadata).add(codeDigest, { org, prefix, uses, expiresAtMs });
  return { code, codeDigest };
}
