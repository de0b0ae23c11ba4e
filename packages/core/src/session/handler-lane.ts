/** What a waiting call costs beside its message: many empty messages are memory too. */
const CALL_BYTES = 1024;

/** Runs handlers one after another, in order of arrival, and says when too much waits for them. */
export class HandlerLane {
  readonly #limitBytes: number;
  #waiting: { readonly run: () => Promise<void>; readonly bytes: number }[] | undefined;
  #waitingBytes = 0;
  #isRunning = false;
  #stopped = false;
  #isUnbounded = false;
  #wake: (() => void) | undefined;
  #onIdle: (() => void)[] | undefined;

  /** @param limitBytes that may wait before {@link room} makes the reader wait */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Adds a handler call, which never rejects. @param bytes that it keeps in memory until it has run */
  push(run: () => Promise<void>, bytes: number): void {
    if (this.#stopped) return;
    this.#waiting ??= [];
    this.#waiting.push({ run, bytes: bytes + CALL_BYTES });
    this.#waitingBytes += bytes + CALL_BYTES;
    if (!this.#isRunning) void this.#runAll();
  }

  /** True when no handler waits or runs. */
  get isIdle(): boolean {
    return !this.#isRunning;
  }

  /** True when more may be read. */
  get hasRoom(): boolean {
    return this.#stopped || this.#isUnbounded || this.#waitingBytes < this.#limitBytes;
  }

  /** The reader waits no more: the connection has ended, and only what it holds already is left to read. */
  unbound(): void {
    this.#isUnbounded = true;
    this.#wake?.();
  }

  /** Resolves when {@link hasRoom} is true; for one reader. */
  room(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Resolves when no handler waits or runs; at once after {@link stop}, which does not wait for the one that runs. */
  idle(): Promise<void> {
    if (!this.#isRunning || this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle ??= [];
      this.#onIdle.push(resolve);
    });
  }

  /** Calls no further handler. */
  stop(): void {
    this.#stopped = true;
    this.#waiting = undefined;
    this.#wake?.();
    this.#settleIdle();
  }

  #settleIdle(): void {
    const waiting = this.#onIdle;
    this.#onIdle = undefined;
    for (const resolve of waiting ?? []) resolve();
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#waiting?.shift(); next !== undefined; next = this.#waiting?.shift()) {
      await next.run();
      this.#waitingBytes -= next.bytes;
      if (this.hasRoom) this.#wake?.();
    }
    this.#isRunning = false;
    this.#waiting = undefined; // an array that was emptied keeps its memory
    this.#settleIdle();
  }
}
