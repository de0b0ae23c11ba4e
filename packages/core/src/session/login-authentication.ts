import type { Bytes } from "../bytes/index.ts";
import { AuthenticationError, StorageError } from "../errors/index.ts";
import type { Participant } from "../pki/index.ts";
import type { Awaitable, Clock, CryptoProvider } from "../platform/index.ts";
import { type AuthenticatorOutcome, type AuthenticatorRule, ask, type PeerFacts } from "./authenticator.ts";
import type { CredentialBook } from "./credential-book.ts";

/** A peer that has proved its certificate. */
export interface AuthenticatingPeer {
  /** From its certificate. */
  readonly participant: Participant;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Bytes;
  /** What it brought for authenticators. */
  readonly credential: Bytes | undefined;
}

/** What became of a peer that was not refused. */
export type LoginDecision =
  | {
      readonly kind: "admitted";
      /** The session ends then, ms since 1970; `Infinity` when no authenticator sets an end. */
      readonly untilMs: number;
    }
  | { readonly kind: "challenged"; readonly challenge: Bytes };

/** Options of {@link LoginAuthentication}. */
export interface LoginAuthenticationOptions {
  /** Who is asked about whom. All that apply have to admit; where none applies, the certificate is enough. */
  readonly rules: readonly AuthenticatorRule[];
  /** Longest that one authenticator may take, ms. Default 5 000. */
  readonly timeLimitMs?: number;
}

/** What {@link LoginAuthentication} works with. */
export interface LoginAuthenticationModules {
  /** Time. */
  readonly clock: Clock;
  /** Digests. */
  readonly crypto: CryptoProvider;
  /** Challenges and admissions. Absent: only authenticators without a credential can be asked. */
  readonly book?: CredentialBook;
  /** Told of each outcome before it takes effect; where it throws, nobody is admitted. */
  readonly record?: (outcome: AuthenticatorOutcome) => Awaitable<void>;
}

/**
 * Authenticators at login, after the certificate: a server asks them about its clients, a client about its server.
 * Whatever goes wrong is a refusal.
 */
export class LoginAuthentication {
  readonly #rules: readonly AuthenticatorRule[];
  readonly #timeLimitMs: number;
  readonly #modules: LoginAuthenticationModules;

  constructor(
    { rules, timeLimitMs = 5_000 }: LoginAuthenticationOptions,
    modules: LoginAuthenticationModules,
  ) {
    this.#rules = rules;
    this.#timeLimitMs = timeLimitMs;
    this.#modules = modules;
  }

  /** @throws AuthenticationError `ERR_CREDENTIAL_REFUSED` with the reason of the first that refuses */
  async admit(peer: AuthenticatingPeer): Promise<LoginDecision> {
    const rules = this.#rules.filter((rule) => applies(rule, peer.participant));
    const needsCredential = rules.some(({ authenticator }) => authenticator.needsCredential);
    if (!needsCredential) return await this.#askAll(rules, await this.#facts(peer, undefined));
    const { leafDigest } = peer.participant;
    const book = this.#requireBook();
    if (peer.credential === undefined) {
      const untilMs = await book.admittedUntil(leafDigest);
      if (untilMs === undefined) return { kind: "challenged", challenge: await book.issue(leafDigest) };
      const others = rules.filter(({ authenticator }) => !authenticator.needsCredential);
      const decision = await this.#askAll(others, await this.#facts(peer, undefined));
      return { kind: "admitted", untilMs: Math.min(untilMs, decision.untilMs) };
    }
    const challenge = await takeOnce(book, leafDigest);
    const decision = await this.#askAll(rules, await this.#facts(peer, challenge));
    if (Number.isFinite(decision.untilMs)) await book.admit(leafDigest, decision.untilMs);
    return decision;
  }

  async #facts(
    { participant, publicKey, credential }: AuthenticatingPeer,
    challenge: Bytes | undefined,
  ): Promise<PeerFacts> {
    const { project, name, role, org, leafDigest } = participant;
    const keyDigest = await this.#modules.crypto.sha256(publicKey);
    return { project, name, role, org, leafDigest, keyDigest, credential, challenge };
  }

  async #askAll(
    rules: readonly AuthenticatorRule[],
    facts: PeerFacts,
  ): Promise<Extract<LoginDecision, { kind: "admitted" }>> {
    const { clock, record } = this.#modules;
    let untilMs = Number.POSITIVE_INFINITY;
    for (const { authenticator } of rules) {
      const verdict = await ask(authenticator, facts, { clock, timeLimitMs: this.#timeLimitMs });
      await record?.({ facts, authenticator: authenticator.name, verdict });
      if (!verdict.admitted) throw refused(`${authenticator.name}: ${verdict.reason}`);
      const { expiresAtMs = Number.POSITIVE_INFINITY } = verdict;
      // Also NaN ends here: a comparison with it is never true.
      if (!(expiresAtMs > clock.now())) throw refused(`${authenticator.name}: what was proved has run out`);
      untilMs = Math.min(untilMs, expiresAtMs);
    }
    return { kind: "admitted", untilMs };
  }

  #requireBook(): CredentialBook {
    const { book } = this.#modules;
    if (book === undefined) throw refused("nobody keeps challenges here");
    return book;
  }
}

function applies({ roles, orgs }: AuthenticatorRule, { role, org }: Participant): boolean {
  return (roles === undefined || roles.includes(role)) && (orgs === undefined || orgs.includes(org));
}

/** Of two logins that answer one challenge at once, the second answers none. */
async function takeOnce(book: CredentialBook, leafDigest: Bytes): Promise<Bytes | undefined> {
  try {
    return await book.take(leafDigest);
  } catch (error) {
    if (error instanceof StorageError && error.code === "ERR_STORAGE_CONFLICT") return undefined;
    throw error;
  }
}

function refused(reason: string): AuthenticationError {
  return new AuthenticationError("ERR_CREDENTIAL_REFUSED", reason);
}
