import type { Clock, Timer } from "@photinus/core/platform";
import type { WebSocket } from "ws";

/** Proxies cut a line that is idle for 60 s; browsers cannot ping, so the server does, every 25 s. */
const PING_INTERVAL_MS = 25_000;
/** Parts of the interval: so many sockets are pinged together at most, by one timer for all. */
const SLOTS = 25;

/** Pings sockets, and cuts those that let a whole interval pass without a pong. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #slotMs: number;
  /** The sockets, by the part of the interval in which they are pinged. */
  readonly #slots: readonly Set<WebSocket>[] = Array.from({ length: SLOTS }, () => new Set<WebSocket>());
  /** Pinged, and nothing heard since. */
  readonly #silent = new Set<WebSocket>();
  /** One listener for all sockets. */
  readonly #onPong: (this: WebSocket) => void;
  #slot = 0;
  #count = 0;
  #timer: Timer | undefined;

  /** @param intervalMs between two pings of a socket; default 25 s */
  constructor(clock: Clock, intervalMs: number = PING_INTERVAL_MS) {
    this.#clock = clock;
    this.#slotMs = intervalMs / SLOTS;
    const silent = this.#silent;
    this.#onPong = function onPong() {
      silent.delete(this);
    };
  }

  /** Begins to ping an open socket. */
  add(socket: WebSocket): void {
    socket.on("pong", this.#onPong);
    // The slot that had its turn last: it comes again after a whole interval.
    this.#slots[this.#slot]?.add(socket);
    this.#count += 1;
    this.#timer ??= this.#clock.after(this.#slotMs, () => this.#beat());
  }

  /** Pings it no more; idempotent. */
  remove(socket: WebSocket): void {
    this.#silent.delete(socket);
    if (!this.#slots.some((slot) => slot.delete(socket))) return;
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #beat(): void {
    this.#timer = this.#clock.after(this.#slotMs, () => this.#beat());
    this.#slot = (this.#slot + 1) % SLOTS;
    for (const socket of [...(this.#slots[this.#slot] ?? [])]) this.#ping(socket);
  }

  #ping(socket: WebSocket): void {
    // A socket that we paused delivers no pong although its peer is well.
    if (this.#silent.has(socket) && !socket.isPaused) {
      socket.terminate();
      return;
    }
    this.#silent.add(socket);
    socket.ping();
  }
}
