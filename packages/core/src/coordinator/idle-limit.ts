import type { Clock, Timer } from "../platform/index.ts";
import type { MessageRoute, Session } from "../session/index.ts";

/** What an {@link IdleLimit} works with. */
export interface IdleLimitOptions {
  /** So long nothing may be asked for while nothing goes on, ms. */
  readonly limitMs: number;
  readonly clock: Pick<Clock, "after">;
}

/**
 * Ends a session in which nobody asks for anything: a terminal or page that was left open. What a session keeps alive by itself
 * (heartbeats, tokens) is no use of it; a job that is watched, or a result that is on its way, is. FLARE: idle limit of the console.
 */
export class IdleLimit {
  readonly #session: Session;
  readonly #options: IdleLimitOptions;
  #timer: Timer | undefined;
  /** Work of the session that goes on. */
  #underWay = 0;

  constructor(session: Session, options: IdleLimitOptions) {
    this.#session = session;
    this.#options = options;
    session.signal.addEventListener("abort", () => this.#timer?.cancel(), { once: true });
    this.#wait();
  }

  /** Something goes on. @returns tells that it is over */
  begin(): () => void {
    this.#underWay += 1;
    this.#timer?.cancel();
    return () => {
      this.#underWay -= 1;
      this.#wait();
    };
  }

  /** The same route, whose messages are a use of the session. */
  counted({ definition, handle }: MessageRoute): MessageRoute {
    return {
      definition,
      handle: async (body, message, session) => {
        await this.during(() => handle(body, message, session));
      },
    };
  }

  /** Does something that is a use of the session. */
  async during(work: () => void | Promise<void>): Promise<void> {
    const end = this.begin();
    try {
      await work();
    } finally {
      end();
    }
  }

  #wait(): void {
    const { clock, limitMs } = this.#options;
    this.#timer?.cancel();
    if (this.#underWay > 0 || this.#session.signal.aborted) return;
    this.#timer = clock.after(limitMs, () => {
      const detail = `nothing was asked for in ${Math.round(limitMs / 1000)} s: the session was idle`;
      void this.#session.close("ERR_GOING_AWAY", detail);
    });
  }
}
