import { silentLogger } from "@photinus/core/platform";
import { type VirtualClock, virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { StormAftermath } from "../../src/server/storm-aftermath.ts";

interface Setting {
  readonly clock: VirtualClock;
  readonly aftermath: StormAftermath;
  /** How often memory was made compact. */
  readonly times: () => number;
  /** Bytes come from a socket. */
  readonly pass: (bytes: number) => void;
}

function aSetting(): Setting {
  const clock = virtualClock();
  let passed = 0;
  let times = 0;
  const aftermath = new StormAftermath({
    clock,
    logger: silentLogger,
    bytesPassed: () => passed,
    compactMemory: () => {
      times += 1;
    },
  });
  const pass = (bytes: number): void => {
    passed += bytes;
  };
  return { clock, aftermath, times: () => times, pass };
}

function open(aftermath: StormAftermath, sessions: number): void {
  for (let opened = 0; opened < sessions; opened++) aftermath.opened();
}

test("memory is made compact once when a thousand have logged in and five seconds were calm", async () => {
  const { clock, aftermath, times } = aSetting();

  open(aftermath, 1_000);
  await clock.advance(4_999);
  expect(times()).toBe(0);
  await clock.advance(1);
  expect(times()).toBe(1);

  await clock.advance(600_000);
  expect(times()).toBe(1);
});

test("a few log-ins are no storm", async () => {
  const { clock, aftermath, times } = aSetting();

  open(aftermath, 999);
  await clock.advance(600_000);

  expect(times()).toBe(0);
});

test("a storm that goes on is not interrupted", async () => {
  const { clock, aftermath, times } = aSetting();

  open(aftermath, 1_000);
  for (let second = 0; second < 30; second++) {
    await clock.advance(1_000);
    open(aftermath, 100);
  }
  expect(times()).toBe(0);

  await clock.advance(10_000);
  expect(times()).toBe(1);
});

test("an upload is not interrupted", async () => {
  const { clock, aftermath, times, pass } = aSetting();

  open(aftermath, 1_000);
  for (let second = 0; second < 30; second++) {
    await clock.advance(1_000);
    pass(2_000_000);
  }
  expect(times()).toBe(0);

  await clock.advance(10_000);
  expect(times()).toBe(1);
});

test("those who come and go cannot make the server stand still more than once a minute", async () => {
  const { clock, aftermath, times } = aSetting();

  for (let round = 0; round < 12; round++) {
    open(aftermath, 1_000);
    await clock.advance(10_000);
  }

  expect(times()).toBe(2);
});

test("nothing happens after the end", async () => {
  const { clock, aftermath, times } = aSetting();

  open(aftermath, 1_000);
  aftermath.stop();
  open(aftermath, 1_000);
  await clock.advance(600_000);

  expect(times()).toBe(0);
});
