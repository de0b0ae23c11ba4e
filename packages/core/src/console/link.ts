import type { Bytes } from "../bytes/index.ts";
import { PhotinusError, WireError } from "../errors/index.ts";
import { type Clock, type CryptoProvider, type Logger, sleep } from "../platform/index.ts";
import type { Session, SessionEnd } from "../session/index.ts";
import { backOffMs } from "../site/index.ts";

/** Ends after which another session may go on; any other would come again. */
const PASSING: ReadonlySet<string> = new Set([
  "ERR_CONNECTION_LOST",
  "ERR_GOING_AWAY",
  "ERR_BUSY",
  "ERR_UPLOAD_SLOW",
  "ERR_RATE_LIMITED",
]);
const WAITS = { firstMs: 500, longestMs: 10_000, refusedMs: 10_000 };
/** Attempts in a row, about a minute. */
const MAX_ATTEMPTS = 8;
/** A session that lasted this long counts as a success. */
const STEADY_MS = 10_000;

/** How a {@link Link} comes to its next session, and what it works with. */
export interface LinkModules {
  /** Opens a session. */
  readonly open: (signal: AbortSignal) => Promise<Session>;
  /** A session is there: whoever speaks over the link turns to it. */
  readonly onSession: (session: Session) => void;
  /** Time. */
  readonly clock: Clock;
  /** Spreads the attempts. */
  readonly crypto: Pick<CryptoProvider, "randomBytes">;
  /** Where log lines go. */
  readonly logger: Logger;
}

/** The session of a console, and the next one for work that goes on when it is lost. */
export class Link {
  readonly #modules: LinkModules;
  readonly #stop = new AbortController();
  /** Work that brings the session back when it is lost. */
  readonly #work = new Set<Promise<unknown>>();
  #session: Session;
  #returning: Promise<void> | undefined;
  #failures = 0;
  /** When the session began. */
  #sinceMs: number;

  constructor(session: Session, modules: LinkModules) {
    this.#session = session;
    this.#modules = modules;
    this.#sinceMs = modules.clock.now();
    modules.onSession(session);
  }

  /**
   * Does the work, and again in the next session whenever the one that it was done in is lost.
   * @throws what the work throws in a session that lives; WireError when no session comes about; the signal's reason
   */
  async persist<Result>(
    work: (session: Session) => Promise<Result>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Result> {
    const done = this.#persist(work, signal);
    const settled = done.catch(() => undefined);
    this.#work.add(settled);
    try {
      return await done;
    } finally {
      this.#work.delete(settled);
    }
  }

  /**
   * Reads what the work yields, and goes on in the next session whenever the one that it was read in is lost: the work is begun
   * again, and knows itself what it has told.
   * @throws as {@link persist}
   */
  async *follow<Item>(
    work: (session: Session) => AsyncIterable<Item>,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<Item, void, undefined> {
    let settle = (): void => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#work.add(settled);
    try {
      for (;;) {
        const session = this.#session;
        try {
          yield* work(session);
          return;
        } catch (error) {
          await this.#again(session, error, signal);
        }
      }
    } finally {
      this.#work.delete(settled);
      settle();
    }
  }

  /** The last end: of a session that nothing brings back. Never rejects. */
  async ended(): Promise<SessionEnd> {
    for (;;) {
      const session = this.#session;
      const end = await session.ended;
      await Promise.all(this.#work);
      if (this.#session === session) return end;
    }
  }

  /** Ends the session in order; nothing brings it back. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort(new WireError("ERR_CANCELLED", "the console was closed"));
    await this.#session.close("ERR_GOING_AWAY", "done");
  }

  async #persist<Result>(work: (session: Session) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    for (;;) {
      const session = this.#session;
      try {
        return await work(session);
      } catch (error) {
        await this.#again(session, error, signal);
      }
    }
  }

  /** Waits for the session after one in which work failed. @throws the error when no session would mend it */
  async #again(session: Session, error: unknown, signal: AbortSignal): Promise<void> {
    // In a session that lives it is the answer.
    if (!session.signal.aborted || signal.aborted || this.#stop.signal.aborted) throw error;
    const { code, retryAfterMs } = await session.ended;
    if (!PASSING.has(code)) throw error;
    await orAborted(this.#next(session, { error, code, retryAfterMs }), signal);
  }

  /** All work of a session that was lost waits for the same next one. */
  #next(lost: Session, loss: Loss): Promise<void> {
    if (this.#session !== lost) return Promise.resolve();
    this.#returning ??= this.#comeBack(loss).finally(() => {
      this.#returning = undefined;
    });
    return this.#returning;
  }

  async #comeBack(first: Loss): Promise<void> {
    const { clock, crypto, logger, open, onSession } = this.#modules;
    const { signal } = this.#stop;
    const random = { bytes: (length: number): Bytes => crypto.randomBytes(length) };
    if (clock.now() - this.#sinceMs >= STEADY_MS) this.#failures = 0;
    for (let loss = first; ; ) {
      this.#failures += 1;
      if (this.#failures > MAX_ATTEMPTS) throw loss.error;
      const { code, retryAfterMs } = loss;
      const waitMs = backOffMs(this.#failures, "ERR_GOING_AWAY", { ...WAITS, retryAfterMs, random });
      logger.info("connecting again", { code, waitMs });
      await sleep(clock, waitMs, signal);
      let session: Session;
      try {
        session = await open(signal);
      } catch (error) {
        loss = lossOf(error);
        if (!PASSING.has(loss.code) || signal.aborted) throw error;
        continue;
      }
      if (signal.aborted) {
        // It was closed while the server was greeted: nobody would close this one.
        await session.close("ERR_GOING_AWAY", "done");
        throw signal.reason;
      }
      this.#session = session;
      this.#sinceMs = clock.now();
      onSession(session);
      return;
    }
  }
}

/** Why there is no session. */
interface Loss {
  readonly error: unknown;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
}

/** What is no refusal of the server is a line that does not come about. */
function lossOf(error: unknown): Loss {
  const code = error instanceof PhotinusError ? error.code : "ERR_CONNECTION_LOST";
  return { error, code, retryAfterMs: error instanceof WireError ? error.retryAfterMs : undefined };
}

/** Waits for the work until the signal is aborted. @throws its reason */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    work.catch(() => undefined); // others may wait for it still
  }
}
