import type { AuditLog } from "../audit/index.ts";
import { toHex } from "../bytes/index.ts";
import type { HeldRevocationList, RevocationLists } from "../pki/index.ts";
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

/** Ends the sessions of certificates that a new list names, in the turn in which it comes, and tells the others of it. */
export class RevocationDesk {
  readonly #lists: RevocationLists;
  readonly #modules: RevocationDeskModules;
  #end: (() => void) | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  readonly #ending = new WeakSet<Session>();

  constructor(lists: RevocationLists, modules: RevocationDeskModules) {
    this.#lists = lists;
    this.#modules = modules;
  }

  /** Begins to watch the lists. */
  start(): void {
    this.#end ??= this.#lists.watch((held) => this.#spread(held));
  }

  /** Watches no more. Idempotent. */
  stop(): void {
    this.#end?.();
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
    if (this.#lists.isRevoked(session.peer.chain)) this.#close(session);
  }

  #spread(held: HeldRevocationList): void {
    this.#lastMs = this.#modules.clock.now();
    const { issuer, list } = held;
    const sessions = [...this.#modules.sessions()];
    const isNamed = ({ peer }: Session): boolean => this.#lists.isRevoked(peer.chain);
    for (const session of sessions.filter(isNamed)) {
      this.#send(session, held); // it sees the CA's word before the end
      this.#close(session);
    }
    this.#tell(sessions, held).catch((error: unknown) =>
      this.#modules.logger.error("a revocation list could not be sent", error),
    );
    this.#record({
      action: "revocation",
      object: issuer.subject.commonName ?? "",
      details: { number: list.number, revoked: list.entries.size, nextUpdateMs: list.nextUpdateMs },
    });
  }

  /** Thousands of sessions hear of a list one after another, with room for other work in between. */
  async #tell(sessions: readonly Session[], held: HeldRevocationList): Promise<void> {
    for (const [index, session] of sessions.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) await this.#modules.clock.yield();
      if (!session.signal.aborted && !this.#lists.isRevoked(session.peer.chain)) this.#send(session, held);
    }
  }

  #send(session: Session, { issuer, list }: HeldRevocationList): void {
    ignoreLostSession(session.send(revocationList, { list: list.der, issuer: issuer.der })).catch(
      (error: unknown) => this.#modules.logger.error("a revocation list could not be sent", error),
    );
  }

  #close(session: Session): void {
    if (this.#ending.has(session)) return; // a list before this one has ended it, and its last word is on its way
    this.#ending.add(session);
    const { peer, id } = session;
    session
      .close("ERR_REVOKED", "the certificate was revoked")
      .catch((error: unknown) => this.#modules.logger.error("a session did not end", error));
    const details = { leaf: toHex(peer.leafDigest), role: peer.role };
    this.#record({ action: "revoked", object: peer.name, correlation: toHex(id), details });
  }

  #record(event: Omit<Parameters<AuditLog["record"]>[0], "outcome">): void {
    this.#modules.audit
      .record({ ...event, outcome: "done" })
      .catch((error: unknown) => this.#modules.logger.error("a revocation could not be recorded", error));
  }
}
