import { javascriptKernels } from "@photinus/core/kernels";
import { describe, expect, test } from "vitest";
import {
  comeBackAfter,
  LEAST_UPLOAD_RATE,
  receiveStream,
  UPLOAD_RATE_MS,
} from "../../src/coordinator/receive-stream.ts";
import { UploadSlots } from "../../src/coordinator/upload-slots.ts";
import type { Session } from "../../src/session/index.ts";
import { ChunkSet, type StreamManifest } from "../../src/stream/index.ts";
import { virtualClock } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";
import { CHUNKS, resumingSite, submitChunked } from "./resuming-site.ts";

const forever = new AbortController().signal;
const CHUNK_BYTES = 65_536;
/** Chunks in the time over which a rate is measured, of an upload that is just quick enough. */
const JUST_ENOUGH = (LEAST_UPLOAD_RATE * UPLOAD_RATE_MS) / 1000 / CHUNK_BYTES;

describe("who uploads slowly", () => {
  test("gives its slot to those who wait, and goes on in its next turn where it was", async () => {
    const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
    const [slow, quick] = [resumingSite(federation, "site-1", 0.5), resumingSite(federation, "site-2", 0.25)];
    let goOn = (): void => undefined;
    quick.line.evaluation = new Promise((resolve) => {
      goOn = resolve;
    });
    slow.line.chunkMs = 14_000;
    await federation.clock.settle(); // both are there when the job comes
    const jobId = await submitChunked(federation, { rounds: 1, minimumSites: 2, roundTimeoutMs: 600_000 });
    await federation.clock.advance(1000);
    goOn(); // it waits for the slot from here on: the half minute that has begun does not count

    await federation.clock.advance(58_999);
    expect([slow.chunks, quick.chunks]).toEqual([[4], [0]]);
    await federation.clock.advance(1);
    expect(slow.site.status.fault).toMatchObject({ code: "ERR_UPLOAD_SLOW" });
    expect(quick.chunks).toEqual([CHUNKS]);

    const view = await federation.untilEnd(jobId);
    expect(slow.chunks).toEqual([4, CHUNKS - 4]);
    expect(slow.trainings()).toBe(1);
    expect(view.history[0]?.contributions).toMatchObject([{ outcome: "accepted" }, { outcome: "accepted" }]);
    await federation.stop();
  });

  test("keeps its slot while nobody waits", async () => {
    const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
    const slow = resumingSite(federation, "site-1", 0.5);
    slow.line.chunkMs = 14_900;
    const jobId = await submitChunked(federation, { rounds: 1, minimumSites: 1, roundTimeoutMs: 600_000 });

    await federation.untilEnd(jobId);

    expect(slow.chunks).toEqual([CHUNKS]);
    await federation.stop();
  });
});

/** One slot for which somebody waits, for so long at most, and an upload into it of a chunk at each of these times. @returns what ended it */
async function uploaded(
  timesMs: readonly number[],
  count: number,
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  const clock = virtualClock();
  const slots = new UploadSlots(1, javascriptKernels());
  const manifest: StreamManifest = {
    streamId: new Uint8Array(16),
    chunkBytes: CHUNK_BYTES,
    totalBytes: count * CHUNK_BYTES,
    leaves: new Uint8Array(32 * count),
    root: new Uint8Array(32),
  };
  const slot = await slots.acquire("job", manifest.totalBytes, forever);
  const patience = new AbortController();
  slots.acquire("job", 1, patience.signal).catch(() => undefined); // it may give up
  if (patienceMs < Number.POSITIVE_INFINITY) clock.after(patienceMs, () => patience.abort());
  const session: Pick<Session, "acceptStream"> = {
    acceptStream: (_, sink, signal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        for (const [index, timeMs] of timesMs.entries()) {
          clock.after(timeMs, () => {
            void sink.write(index * CHUNK_BYTES, new Uint8Array(CHUNK_BYTES));
            if (index + 1 === count) resolve();
          });
        }
      }),
  };
  const received = new ChunkSet(manifest);
  const modules = { slot, received, clock, signal: forever };
  const upload = receiveStream(session as Session, manifest, modules); // no more of it is used
  return await clock.runUntil(upload.catch((error: unknown) => error));
}

describe("the least rate", () => {
  const spread = (chunks: number): readonly number[] =>
    Array.from({ length: 3 * JUST_ENOUGH }, (_, index) => ((index + 1) * UPLOAD_RATE_MS) / chunks);

  test("is enough for as long as it takes", async () => {
    const times = spread(JUST_ENOUGH).map((timeMs) => timeMs - 1);

    expect(await uploaded(times, times.length)).toBeUndefined();
  });

  test("is not reached by a chunk less in half a minute, and whoever sent something is to come back", async () => {
    const times = spread(JUST_ENOUGH - 1);

    const end = await uploaded(times, times.length);

    expect(comeBackAfter(end, 1)).toMatchObject({ code: "ERR_UPLOAD_SLOW" });
  });

  test("does not count when whoever waited has given up before the half minute was over", async () => {
    const times = spread(JUST_ENOUGH - 1);

    expect(await uploaded(times, times.length, UPLOAD_RATE_MS - 1)).toBeUndefined();
  });
});

test("a slot is wanted while more wait than are served by a spill", async () => {
  const slots = new UploadSlots(2, javascriptKernels());
  const [held, other] = [await slots.acquire("a", 1, forever), await slots.acquire("a", 1, forever)];
  expect(held.isWanted).toBe(false);
  let saved = (): void => undefined;
  other.park(
    () =>
      new Promise((resolve) => {
        saved = resolve;
      }),
  );

  const first = slots.acquire("b", 1, forever);
  expect(held.isWanted).toBe(false); // the parked one is on its way
  const second = slots.acquire("b", 1, forever);
  expect(held.isWanted).toBe(true);
  saved();
  await first;
  held.release();

  expect(held.isWanted).toBe(false);
  expect((await second).isWanted).toBe(false);
});
