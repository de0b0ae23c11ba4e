import type { Bytes } from "../bytes/index.ts";
import { AuthenticationError } from "../errors/index.ts";
import type { Role } from "../pki/index.ts";
import { type Awaitable, type Clock, sleep } from "../platform/index.ts";

/** What an {@link Authenticator} learns of a peer whose certificate has verified: a frozen copy, never a key. */
export interface PeerFacts {
  /** Name of the project. */
  readonly project: string;
  /** Name, from the certificate. */
  readonly name: string;
  /** Role, from the certificate. */
  readonly role: Role;
  /** Organization, from the certificate. */
  readonly org: string;
  /** SHA-256 of the certificate: 32 bytes. */
  readonly leafDigest: Bytes;
  /** SHA-256 of the peer's SubjectPublicKeyInfo: 32 bytes. */
  readonly keyDigest: Bytes;
  /** What the peer brought for authenticators, at most 8 KiB; absent when it brought nothing. */
  readonly credential: Bytes | undefined;
  /** What this side asked the peer to prove itself for: 32 bytes, used once; absent when nothing was asked. */
  readonly challenge: Bytes | undefined;
}

/** The word of an {@link Authenticator}. */
export type AuthenticatorVerdict =
  | {
      readonly admitted: true;
      /** What else is known of the peer, such as its groups; goes into the audit record. */
      readonly claims?: Readonly<Record<string, string>>;
      /** The session ends then, ms since 1970. Default: this authenticator sets no end. */
      readonly expiresAtMs?: number;
    }
  | {
      readonly admitted: false;
      /** For people, the peer among them: no secret, and nothing of the credential. */
      readonly reason: string;
    };

/** Decides at login, after the certificate, whether a peer is let in. Any number of logins may ask it at once. */
export interface Authenticator {
  /** In audit records and refusals. */
  readonly name: string;
  /** True when it decides by a credential: a peer that brings none gets a challenge, and comes again. */
  readonly needsCredential: boolean;
  /** What it throws is a refusal, and so is an answer that does not come in time. */
  authenticate(facts: PeerFacts, signal: AbortSignal): Awaitable<AuthenticatorVerdict>;
}

/** Whom an authenticator is asked about. */
export interface AuthenticatorRule {
  /** Who is asked. */
  readonly authenticator: Authenticator;
  /** Only for these roles. Default: for all. */
  readonly roles?: readonly Role[];
  /** Only for these organizations. Default: for all. */
  readonly orgs?: readonly string[];
}

/** What one authenticator said of one peer. */
export interface AuthenticatorOutcome {
  /** The peer. */
  readonly facts: PeerFacts;
  /** Name of the authenticator. */
  readonly authenticator: string;
  /** Its word. */
  readonly verdict: AuthenticatorVerdict;
}

/** Longest reason that is told. */
const MAX_REASON = 300;

/** Asks one authenticator. @returns its verdict; a refusal too where it threw or did not answer in time */
export async function ask(
  authenticator: Authenticator,
  facts: PeerFacts,
  { clock, timeLimitMs }: { readonly clock: Clock; readonly timeLimitMs: number },
): Promise<AuthenticatorVerdict> {
  const late = new AbortController();
  const answered = new AbortController();
  const tooLate = sleep(clock, timeLimitMs, answered.signal).then(() => {
    late.abort(new AuthenticationError("ERR_CREDENTIAL_REFUSED", "no answer in time"));
    return refusal(`it did not answer within ${timeLimitMs} ms`);
  });
  tooLate.catch(() => undefined); // the answer came first
  try {
    return await Promise.race([decided(authenticator, facts, late.signal), tooLate]);
  } finally {
    answered.abort();
  }
}

async function decided(
  authenticator: Authenticator,
  facts: PeerFacts,
  signal: AbortSignal,
): Promise<AuthenticatorVerdict> {
  try {
    // Its own copy: what one authenticator does to the bytes, no other sees.
    const verdict = await authenticator.authenticate(frozen(facts), signal);
    if (verdict.admitted === true) return verdict;
    return refusal(verdict.reason);
  } catch (error) {
    // Only a refusal of its own making has words for the peer.
    return refusal(error instanceof AuthenticationError ? error.message : "it failed to decide");
  }
}

function refusal(reason: string): AuthenticatorVerdict {
  return { admitted: false, reason: String(reason).slice(0, MAX_REASON) };
}

function frozen(facts: PeerFacts): PeerFacts {
  return Object.freeze({
    ...facts,
    leafDigest: facts.leafDigest.slice(),
    keyDigest: facts.keyDigest.slice(),
    credential: facts.credential?.slice(),
    challenge: facts.challenge?.slice(),
  });
}
