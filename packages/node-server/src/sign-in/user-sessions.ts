import { createHash, randomBytes } from "node:crypto";
import type { Clock, Timer } from "@photinus/core/platform";
import type { DashboardRole } from "../authentication/settings.ts";

/** Somebody who has signed in at an identity provider. */
export interface SignedInUser {
  /** As the provider calls this person. */
  readonly name: string;
  /** By the server's configuration. */
  readonly role: DashboardRole;
  /** By the server's configuration. */
  readonly org: string;
  /** Whom it is about at the issuer, for the audit record. */
  readonly subject: string;
}

/** The session of a user of the dashboard. */
export interface UserSession {
  readonly user: SignedInUser;
  /** Aborted when the session ends: what is being read then ends too. */
  readonly signal: AbortSignal;
  /** When it ends at the latest, ms since 1970. */
  readonly endsAtMs: number;
}

/** How long sessions last, in ms. */
export interface UserSessionLimits {
  /** Without anything that the user does. */
  readonly idleMs: number;
  /** Altogether. */
  readonly lifetimeMs: number;
}

/** Sessions at a time; the one that was used longest ago makes room. Each needs somebody who was let in. */
const MAX_SESSIONS = 1_000;
/** Sessions of one user. */
const MAX_PER_USER = 8;

interface Kept extends UserSession {
  readonly controller: AbortController;
  usedMs: number;
  timer: Timer;
}

/** Sessions of the dashboard, in memory: a restart signs everybody out. Only digests of their ids are kept. */
export class UserSessions {
  readonly #limits: UserSessionLimits;
  readonly #clock: Clock;
  /** By digest; used longest ago first. */
  readonly #sessions = new Map<string, Kept>();

  constructor(limits: UserSessionLimits, { clock }: { readonly clock: Clock }) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** @returns the id of a fresh session: 256 random bits, base64url; a secret */
  open(user: SignedInUser): string {
    const own = [...this.#sessions].filter(([, { user: of }]) => of.subject === user.subject);
    if (own.length >= MAX_PER_USER) this.#end(own[0]?.[0]);
    if (this.#sessions.size >= MAX_SESSIONS) this.#end(this.#sessions.keys().next().value);
    const id = randomBytes(32).toString("base64url");
    const nowMs = this.#clock.now();
    const controller = new AbortController();
    const endsAtMs = nowMs + this.#limits.lifetimeMs;
    const key = keyOf(id);
    const timer = this.#timer(key, this.#limits.idleMs);
    this.#sessions.set(key, { user, controller, signal: controller.signal, endsAtMs, usedMs: nowMs, timer });
    return id;
  }

  /**
   * The session with this id, while it lasts.
   * @param isUse true for what the user does; what a page asks by itself keeps nothing alive
   */
  find(id: string, isUse: boolean): UserSession | undefined {
    const key = keyOf(id);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (this.#leftMs(session) <= 0) {
      this.#end(key); // the timer is late
      return undefined;
    }
    if (isUse) {
      session.usedMs = this.#clock.now();
      this.#sessions.delete(key);
      this.#sessions.set(key, session);
    }
    return session;
  }

  /** Ends a session; one that is unknown is no error. @returns whose it was */
  close(id: string): SignedInUser | undefined {
    const key = keyOf(id);
    const user = this.#sessions.get(key)?.user;
    this.#end(key);
    return user;
  }

  /** Ends all; idempotent. */
  stop(): void {
    for (const key of [...this.#sessions.keys()]) this.#end(key);
  }

  #leftMs({ usedMs, endsAtMs }: Pick<Kept, "usedMs" | "endsAtMs">): number {
    return Math.min(endsAtMs, usedMs + this.#limits.idleMs) - this.#clock.now();
  }

  /** Also a session in which only a stream is being read ends in time. */
  #timer(key: string, inMs: number): Timer {
    return this.#clock.after(inMs, () => {
      const session = this.#sessions.get(key);
      if (session === undefined) return;
      const leftMs = this.#leftMs(session);
      if (leftMs <= 0) this.#end(key);
      else session.timer = this.#timer(key, leftMs);
    });
  }

  #end(key: string | undefined): void {
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (key === undefined || session === undefined) return;
    session.timer.cancel();
    this.#sessions.delete(key);
    session.controller.abort();
  }
}

/** Looked up by digest: the time of a look-up tells nothing about an id. */
function keyOf(id: string): string {
  return createHash("sha256").update(id, "utf8").digest("base64url");
}
