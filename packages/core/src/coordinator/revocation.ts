import type { AuditLog } from "../audit/index.ts";
import { equalBytes, toHex } from "../bytes/index.ts";
import type { HeldRevocationList, RevocationLists, SuspensionDecision } from "../pki/index.ts";
import type { Clock, Logger } from "../platform/index.ts";
import { revocationList, type Session } from "../session/index.ts";
import { ignoreLostSession } from "./answer-site.ts";

/** What {@link RevocationDesk} works with. */
export interface RevocationDeskModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  /** The live sessions. */
  readonly sessions: () => Iterable<Session>;
}

/** A handshake takes ten seconds at most: a list this old was in its second message. */
const IN_HANDSHAKE_MS = 20_000;
/** Sessions that are sent a list before other work has its turn: one costs up to 32 KiB of copying. */
const AT_ONCE = 16;

/**
 * Ends the sessions of certificates that a new list names or an administrator suspends, in the turn in which it comes, and
 * tells the others of it.
 */
export class RevocationDesk {
  readonly #lists: RevocationLists;
  readonly #modules: RevocationDeskModules;
  #ends: readonly (() => void)[] = [];
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #ending = new WeakSet<Session>();

  constructor(lists: RevocationLists, modules: RevocationDeskModules) {
    this.#lists = lists;
    this.#modules = modules;
  }

  /** Begins to watch the lists. */
  start(): void {
    if (this.#ends.length > 0) return;
    this.#ends = [
      this.#lists.watch((held) => this.#spread(held)),
      this.#lists.suspensions.watch((decision) => this.#suspend(decision)),
    ];
  }

  /** Watches no more. Idempotent. */
  stop(): void {
    for (const end of this.#ends) end();
  }

  /**
   * To be called when a session was admitted: brings the lists that the handshake does not bring. A list that came
   * between its handshake and now ends it.
   */
  welcome(session: Session): void {
    const isRecent = this.#modules.clock.now() < this.#lastMs + IN_HANDSHAKE_MS;
    for (const [index, held] of this.#lists.held.entries()) {
      if (index > 0 || isRecent) this.#send(session, held); // the root's is the first
    }
    for (const decision of this.#lists.suspensions.held) this.#sendDecision(session, decision);
    if (this.#lists.isRevoked(session.peer.chain)) this.#close(session, "ERR_REVOKED");
    else if (this.#lists.isSuspended(session.peer.leafDigest)) this.#close(session, "ERR_SUSPENDED");
  }

  /** Ends the sessions of a suspended certificate at once; everybody hears of it as the administrator signed it. */
  #suspend(decision: SuspensionDecision): void {
    const { leafDigest, kind, name, by, reason } = decision;
    const sessions = [...this.#modules.sessions()];
    for (const session of sessions) {
      const isNamed = kind === "suspend" && equalBytes(session.peer.leafDigest, leafDigest);
      if (isNamed) this.#close(session, "ERR_SUSPENDED");
    }
    this.#inTurns(sessions, (session) => this.#sendDecision(session, decision));
    this.#record({
      action: "suspension",
      object: name,
      reason,
      details: { leaf: toHex(leafDigest), kind, by },
    });
  }

  #sendDecision(session: Session, { object, signerChain }: SuspensionDecision): void {
    ignoreLostSession(session.sendObject(object, signerChain)).catch((error: unknown) =>
      this.#modules.logger.error("a suspension could not be sent", error),
    );
  }

  #spread(held: HeldRevocationList): void {
    this.#lastMs = this.#modules.clock.now();
    const { issuer, list } = held;
    const sessions = [...this.#modules.sessions()];
    const isNamed = ({ peer }: Session): boolean => this.#lists.isRevoked(peer.chain);
    for (const session of sessions.filter(isNamed)) {
      this.#send(session, held); // it sees the CA's word before the end
      this.#close(session, "ERR_REVOKED");
    }
    this.#inTurns(sessions, (session) => this.#send(session, held));
    this.#record({
      action: "revocation",
      object: issuer.subject.commonName ?? "",
      details: { number: list.number, revoked: list.entries.size, nextUpdateMs: list.nextUpdateMs },
    });
  }

  /** Thousands of sessions hear of it one after another, with room for other work in between. */
  #inTurns(sessions: readonly Session[], tell: (session: Session) => void): void {
    const telling = async (): Promise<void> => {
      for (const [index, session] of sessions.entries()) {
        if (index % AT_ONCE === AT_ONCE - 1) await this.#modules.clock.yield();
        if (!session.signal.aborted && !this.#ending.has(session)) tell(session);
      }
    };
    telling().catch((error: unknown) =>
      this.#modules.logger.error("a revocation could not be sent to everybody", error),
    );
  }

  #send(session: Session, { issuer, list }: HeldRevocationList): void {
    ignoreLostSession(session.send(revocationList, { list: list.der, issuer: issuer.der })).catch(
      (error: unknown) => this.#modules.logger.error("a revocation list could not be sent", error),
    );
  }

  #close(session: Session, code: "ERR_REVOKED" | "ERR_SUSPENDED"): void {
    if (this.#ending.has(session)) return; // a list before this one has ended it, and its last word is on its way
    this.#ending.add(session);
    const { peer, id } = session;
    const isSuspended = code === "ERR_SUSPENDED";
    session
      .close(code, isSuspended ? "the certificate is suspended" : "the certificate was revoked")
      .catch((error: unknown) => this.#modules.logger.error("a session did not end", error));
    const details = { leaf: toHex(peer.leafDigest), role: peer.role };
    const action = isSuspended ? "suspended" : "revoked";
    this.#record({ action, object: peer.name, correlation: toHex(id), details });
  }

  #record(event: Omit<Parameters<AuditLog["record"]>[0], "outcome">): void {
    this.#modules.audit
      .record({ ...event, outcome: "done" })
      .catch((error: unknown) => this.#modules.logger.error("a revocation could not be recorded", error));
  }
}
