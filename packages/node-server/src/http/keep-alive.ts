import type { Clock, Timer } from "@photinus/core/platform";
import type { WebSocket } from "ws";

/** Proxies cut a line that is idle for 60 s; browsers cannot ping, so the server does, every 25 s. */
const PING_INTERVAL_MS = 25_000;

/**
 * Pings a socket, and cuts it when a whole interval brought no pong.
 * @returns what ends it
 */
export function keepAlive(
  socket: WebSocket,
  clock: Clock,
  intervalMs: number = PING_INTERVAL_MS,
): () => void {
  let isAlive = true;
  let timer: Timer;
  socket.on("pong", () => {
    isAlive = true;
  });
  const beat = (): void => {
    // A socket that we paused delivers no pong although its peer is well.
    if (!isAlive && !socket.isPaused) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
    timer = clock.after(intervalMs, beat);
  };
  timer = clock.after(intervalMs, beat);
  return () => timer.cancel();
}
