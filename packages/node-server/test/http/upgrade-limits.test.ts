import { noMetrics } from "@photinus/core/platform";
import { LoginPace } from "@photinus/core/session";
import { virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";
import {
  DEFAULT_UPGRADE_LIMITS,
  type Passage,
  type Refusal,
  type UpgradeGate,
  type UpgradeLimits,
  upgradeGate,
} from "../../src/http/upgrade-limits.ts";

const clock = virtualClock();

function aGate(limits: Partial<UpgradeLimits>): UpgradeGate {
  return upgradeGate({ ...DEFAULT_UPGRADE_LIMITS, ...limits }, { clock, metrics: noMetrics });
}

const nothing = (): void => undefined;

function passed(outcome: Passage | Refusal): Passage {
  if ("code" in outcome) throw new Error(`refused: ${outcome.code}`);
  return outcome;
}

test("who is over the rate of his address is told when the minute is over", async () => {
  const gate = aGate({ upgradesPerMinute: 1 });
  passed(await gate.enter("192.0.2.1", nothing)).leave();

  const refusal = await gate.enter("192.0.2.1", nothing);

  expect(refusal).toMatchObject({ code: "ERR_RATE_LIMITED" });
  expect("retryAfterMs" in refusal && refusal.retryAfterMs).toBeGreaterThan(55_000);
});

test("a crowd that is sent away comes back one after another, at the rate of all", async () => {
  const gate = aGate({ halfOpen: 1, allUpgradesPerMinute: 600 });
  passed(await gate.enter("192.0.2.1", nothing));

  const waits: number[] = [];
  for (let index = 2; index < 102; index++) {
    const refusal = await gate.enter(`192.0.2.${index}`, nothing);
    if (!("code" in refusal)) throw new Error("let through");
    expect(refusal.code).toBe("ERR_BUSY");
    waits.push(refusal.retryAfterMs);
  }

  expect(new Set(waits).size).toBe(100);
  expect(Math.min(...waits)).toBe(1000);
  expect(Math.max(...waits)).toBe(1000 + 99 * 100);
});

test("no wait is longer than a minute, however many were sent away", async () => {
  const gate = aGate({ halfOpen: 1, allUpgradesPerMinute: 30 });
  passed(await gate.enter("192.0.2.1", nothing));
  for (let index = 0; index < 100; index++) {
    const refusal = await gate.enter(`198.51.100.${index}`, nothing);
    expect("retryAfterMs" in refusal && refusal.retryAfterMs).toBeLessThanOrEqual(60_000);
  }
});

test("an address that holds all places gives its oldest one to a newcomer", async () => {
  const gate = aGate({ halfOpen: 4, halfOpenPerAddress: 4 });
  const evicted: string[] = [];
  for (let index = 0; index < 4; index++) {
    passed(await gate.enter("203.0.113.66", () => evicted.push(`flood ${index}`)));
  }

  passed(await gate.enter("192.0.2.1", () => evicted.push("honest")));

  expect(evicted).toEqual(["flood 0"]);
});

test("among those who hold as much as they would take, a newcomer is sent away", async () => {
  const gate = aGate({ halfOpen: 2 });
  passed(await gate.enter("192.0.2.1", nothing));
  passed(await gate.enter("192.0.2.2", nothing));

  expect(await gate.enter("192.0.2.3", nothing)).toMatchObject({ code: "ERR_BUSY" });
});

test("a flood of strangers at the rate of all does not keep out an address that authenticated before", async () => {
  const gate = aGate({ allUpgradesPerMinute: 10 });
  passed(await gate.enter("192.0.2.1", nothing)).authenticated();
  const outcomes: boolean[] = [];
  for (let index = 0; index < 20; index++) {
    outcomes.push("code" in (await gate.enter(`198.51.100.${index}`, nothing)));
  }
  expect(outcomes.at(-1)).toBe(true);

  passed(await gate.enter("192.0.2.1", nothing));

  expect(await gate.enter("192.0.2.2", nothing)).toMatchObject({ code: "ERR_RATE_LIMITED" });
});

test("an address is forgotten a day after the last authentication", async () => {
  const gate = aGate({ allUpgradesPerMinute: 1 });
  passed(await gate.enter("192.0.2.1", nothing)).authenticated();
  passed(await gate.enter("192.0.2.1", nothing)).leave();

  await clock.advance(86_400_001);

  expect(await gate.enter("192.0.2.1", nothing)).toMatchObject({ code: "ERR_RATE_LIMITED" });
});

test("a place is given back once, however often it is told", async () => {
  const gate = aGate({ halfOpen: 2, halfOpenPerAddress: 2 });
  const first = passed(await gate.enter("192.0.2.1", nothing));
  passed(await gate.enter("192.0.2.1", nothing));

  first.authenticated();
  first.leave();
  first.leave();
  passed(await gate.enter("192.0.2.1", nothing));

  expect(await gate.enter("192.0.2.1", nothing)).toMatchObject({ code: "ERR_BUSY" });
});

test("who is sent away at the gate and who is sent away at the handshake stand in one row", async () => {
  const pace = new LoginPace(clock, 2);
  const limits = { ...DEFAULT_UPGRADE_LIMITS, halfOpen: 1 };
  const gate = upgradeGate(limits, { clock, metrics: noMetrics, pace });
  passed(await gate.enter("192.0.2.1", nothing));

  const atHandshake = [pace.book(), pace.book(), pace.book(), pace.book()];
  const refusal = await gate.enter("192.0.2.2", nothing);

  expect(atHandshake).toEqual([500, 1000, 1500, 2000]);
  expect(refusal).toMatchObject({ code: "ERR_BUSY", retryAfterMs: 2500 });
  expect(pace.book()).toBe(3000);
});
