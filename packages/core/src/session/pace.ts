import { MAX_RETRY_MS } from "../envelope/index.ts";
import type { ErrorCode } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import type { Session } from "./session.ts";

/**
 * Log-ins that a server takes in a second: 2 ms of processor each on one core. Everything that says when a client comes
 * back follows from this one number.
 */
export const LOGINS_PER_SECOND = 500;

/** Nobody is sent away for longer by {@link LoginPace}, or by a hint that nobody has authenticated; ms. */
export const LONGEST_RETURN_MS = 60_000;

/** When to come back where nothing is known of the load; ms. */
const RETRY_MS: ReadonlyMap<ErrorCode, number> = new Map<ErrorCode, number>([
  ["ERR_RATE_LIMITED", 5000],
  ["ERR_BUSY", 5000],
  ["ERR_UPLOAD_SLOW", 5000],
  ["ERR_GOING_AWAY", 1000],
]);

/** A log-in that may go on, or the time after which it may be tried again. */
export type LoginEntry =
  | { readonly admitted: true; readonly leave: () => void }
  | { readonly admitted: false; readonly retryAfterMs: number };

/**
 * How many log in at once, and when the others come back: those who are sent away, those whose session ends, and all
 * together after the server was gone. One for all sessions of a process.
 */
export class LoginPace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #handshakes = 0;
  #live = 0;
  #nextFreeMs = 0;

  /** @param perSecond log-ins a second; half a second's worth may be under way at once */
  constructor(clock: Clock, perSecond: number = LOGINS_PER_SECOND) {
    if (!(perSecond >= 2)) throw new RangeError("a server takes at least two log-ins a second");
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Somebody has connected. `leave` is called when the handshake is over; idempotent. */
  enter(): LoginEntry {
    if (this.#handshakes >= Math.floor(this.#perSecond / 2)) {
      return { admitted: false, retryAfterMs: Math.max(1000, this.book()) };
    }
    this.#handshakes += 1;
    let isInside = true;
    const leave = (): void => {
      if (isInside) this.#handshakes -= 1;
      isInside = false;
    };
    return { admitted: true, leave };
  }

  /** A session has begun; it is counted until it ends. */
  opened(session: Pick<Session, "whenEnded">): void {
    this.#live += 1;
    session.whenEnded(this.#closed);
  }

  /** One for all sessions. */
  readonly #closed = (): void => {
    this.#live -= 1;
  };

  /** The next free place in the row of those who come back: ms from now, at most a minute. */
  book(): number {
    const nowMs = this.#clock.now();
    const freeMs = Math.max(nowMs, this.#nextFreeMs) + 1000 / this.#perSecond;
    this.#nextFreeMs = Math.min(freeMs, nowMs + LONGEST_RETURN_MS);
    return Math.ceil(this.#nextFreeMs - nowMs);
  }

  /** Time over which all clients spread when they lose the server at once, ms, at most an hour; told in WELCOME and later. */
  get returnMs(): number {
    return Math.min(MAX_RETRY_MS, Math.ceil((this.#live / this.#perSecond) * 1000));
  }
}

/** What an ERROR of a server says of the time to come back: a booked place, or what is usual; nothing for other codes. */
export function retryAfterOf(code: ErrorCode, pace: LoginPace | undefined): number | undefined {
  const usualMs = RETRY_MS.get(code);
  if (usualMs === undefined) return undefined;
  return Math.max(usualMs, pace?.book() ?? 0);
}
