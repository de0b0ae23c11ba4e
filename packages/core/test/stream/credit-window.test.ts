import { expect, test } from "vitest";
import { CreditWindow } from "../../src/stream/credit-window.ts";
import { seededRandom, virtualClock } from "../../src/testing/index.ts";

const KIB = 1024;
const MIB = 1_048_576;
const CHUNK = 256 * KIB;

interface Way {
  /** From a grant to its first chunk, when nothing is in between, ms. */
  readonly wayMs: number;
  /** What the slowest part of the way carries. */
  readonly bytesPerMs: number;
}

/** A sender that sends whatever it may, over a way that carries so much, to a receiver that grants as it should. */
function aTransfer(mostBytes = 8 * MIB) {
  const clock = virtualClock({ startMs: 0 });
  const window = new CreditWindow({ mostBytes, chunkBytes: CHUNK }, clock);
  let outstanding = 0;
  let arrived = 0;
  let lineFreeAtMs = 0;
  const send = (bytes: number, { wayMs, bytesPerMs }: Way): void => {
    outstanding += bytes;
    window.granted(bytes);
    lineFreeAtMs = Math.max(lineFreeAtMs, clock.now() + wayMs) + bytes / bytesPerMs;
    clock.after(lineFreeAtMs - clock.now(), () => {
      window.arrived(bytes);
      arrived += bytes;
      outstanding -= bytes;
    });
  };
  /** @returns bytes that came */
  const run = async (durationMs: number, way: Way): Promise<number> => {
    const before = arrived;
    for (let step = 0; step < durationMs; step++) {
      while (window.bytes - outstanding >= CHUNK) send(CHUNK, way);
      await clock.advance(1);
    }
    return arrived - before;
  };
  return { window, run };
}

test("a way of 100 ms and 100 Mbit/s is filled, with twice what it holds and no more", async () => {
  const way: Way = { wayMs: 100, bytesPerMs: 12_500 };
  const { window, run } = aTransfer();
  await run(1000, way);

  const carried = await run(5000, way);

  expect(carried).toBeGreaterThan(0.95 * 5000 * way.bytesPerMs);
  expect(window.bytes).toBeGreaterThan(100 * way.bytesPerMs);
  expect(window.bytes).toBeLessThan(3 * 100 * way.bytesPerMs);
});

test("a way that holds more than the limit gets the limit", async () => {
  const { window, run } = aTransfer();

  await run(2000, { wayMs: 100, bytesPerMs: 1_250_000 });

  expect(window.bytes).toBe(8 * MIB);
});

test("a short way to a busy receiver gets two chunks and what 17 ms bring", async () => {
  const way: Way = { wayMs: 0.3, bytesPerMs: 100_000 };
  const { window, run } = aTransfer();

  const carried = await run(2000, way);

  expect(carried).toBeGreaterThan(0.95 * 2000 * way.bytesPerMs);
  expect(window.bytes).toBeLessThanOrEqual(2 * CHUNK + 17 * way.bytesPerMs);
});

test("a way that gets longer is filled again", async () => {
  const { run } = aTransfer();
  await run(3000, { wayMs: 5, bytesPerMs: 12_500 });
  await run(15_000, { wayMs: 80, bytesPerMs: 12_500 });

  const carried = await run(5000, { wayMs: 80, bytesPerMs: 12_500 });

  expect(carried).toBeGreaterThan(0.9 * 5000 * 12_500);
});

test("a way that stays as it is does not fill up with the time", async () => {
  const way: Way = { wayMs: 20, bytesPerMs: 12_500 };
  const { window, run } = aTransfer();

  const carried = await run(30_000, way);

  expect(carried).toBeGreaterThan(0.95 * 30_000 * way.bytesPerMs);
  expect(window.bytes).toBeLessThan(2 * MIB);
});

test("whatever comes, and whenever, there are two chunks and never more than the limit", async () => {
  const random = seededRandom(7);
  const draw = (): number => (random.bytes(1)[0] ?? 0) / 255;
  const { window, run } = aTransfer(3 * MIB);
  for (let round = 0; round < 200; round++) {
    await run(1 + Math.floor(draw() * 60), { wayMs: draw() * 200, bytesPerMs: 1 + draw() ** 4 * 1e6 });
    expect(window.bytes).toBeGreaterThanOrEqual(2 * CHUNK);
    expect(window.bytes).toBeLessThanOrEqual(3 * MIB);
  }
});

test("a limit below two chunks is the window, and one below a chunk is a chunk", () => {
  const clock = virtualClock();

  expect(new CreditWindow({ mostBytes: CHUNK, chunkBytes: CHUNK }, clock).bytes).toBe(CHUNK);
  expect(new CreditWindow({ mostBytes: 10, chunkBytes: CHUNK }, clock).bytes).toBe(CHUNK);
});

test("the next stream of a session begins with what the last one learned", () => {
  const options = { mostBytes: 8 * MIB, chunkBytes: CHUNK };

  expect(new CreditWindow(options, virtualClock()).learnedBytes).toBeUndefined();
  expect(new CreditWindow({ ...options, firstBytes: 5 * MIB }, virtualClock()).bytes).toBe(5 * MIB);
});
