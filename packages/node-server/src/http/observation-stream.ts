import type { Observation } from "@photinus/core/message";
import type { Clock, Timer } from "@photinus/core/platform";

/** Options of {@link observationStream}. */
export interface ObservationStreamOptions {
  readonly clock: Clock;
  /** A comment goes out when nothing else did for this long, so that proxies keep the response open. */
  readonly heartbeatMs: number;
  /** Called once when the stream has ended or its reader has left. */
  readonly onEnd: () => void;
}

const encoder = new TextEncoder();
const HEARTBEAT = encoder.encode(": still here\n\n");

/** One event (WHATWG HTML, section 9.2). JSON holds no line feed, so one data line is enough. */
function eventOf(observation: Observation): Uint8Array {
  return encoder.encode(`id: ${observation.sequence}\ndata: ${JSON.stringify(observation)}\n\n`);
}

/**
 * Observations as server-sent events. The next one is taken when the reader has room: a slow reader holds nothing
 * up but itself.
 *
 * @param first already taken, so that a refusal could still be answered by a status
 */
export function observationStream(
  first: IteratorResult<Observation>,
  rest: AsyncIterator<Observation>,
  options: ObservationStreamOptions,
): ReadableStream<Uint8Array> {
  let next: Promise<IteratorResult<Observation>> = Promise.resolve(first);
  const end = async (): Promise<void> => {
    options.onEnd();
    await rest.return?.();
  };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const result = await orSilence(next, options);
    if (result === "silence") {
      controller.enqueue(HEARTBEAT);
    } else if (result.done) {
      controller.close();
      await end();
    } else {
      next = rest.next();
      next.catch(() => undefined); // awaited by the next pull; a reader that leaves first must not crash us
      controller.enqueue(eventOf(result.value));
    }
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: (controller) =>
        pull(controller).catch((error: unknown) => {
          options.onEnd();
          throw error; // the response breaks off, and its reader asks again
        }),
      cancel: end,
    },
    { highWaterMark: 1 },
  );
}

/** What comes first: the observation, or the time for a heartbeat. */
async function orSilence<T>(
  next: Promise<T>,
  { clock, heartbeatMs }: ObservationStreamOptions,
): Promise<T | "silence"> {
  let timer: Timer | undefined;
  const silence = new Promise<"silence">((resolve) => {
    timer = clock.after(heartbeatMs, () => resolve("silence"));
  });
  return await Promise.race([next, silence]).finally(() => timer?.cancel());
}
