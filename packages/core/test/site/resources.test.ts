import * as v from "valibot";
import { describe, expect, test } from "vitest";
import type { ResourceNeed } from "../../src/job/index.ts";
import { type ResourceSettings, type ResourceSource, resourceSettingsSchema } from "../../src/site/index.ts";
import { ResourcePool } from "../../src/site/resources/index.ts";
import { seededRandom } from "../../src/testing/index.ts";

const SETTINGS: ResourceSettings = {
  format_version: "1.0",
  gpus: [{ memoryGiB: 24 }, { memoryGiB: 16 }],
  units: { licence: ["a", "b", "c"] },
};

function aPool(source: ResourceSource = () => SETTINGS, concurrentJobs = 8) {
  const clock = { nowMs: 0, now: () => clock.nowMs };
  const pool = new ResourcePool({ clock, random: seededRandom("pool"), source, concurrentJobs });
  const take = (jobId: string, need: ResourceNeed) => {
    const kept = pool.check(jobId, need);
    return "lacks" in kept ? kept : pool.allocate(jobId, kept.token);
  };
  return { pool, clock, take };
}

const gpus = (count: number, memoryGiB: number): ResourceNeed => ({ gpus: { count, memoryGiB } });

describe("units of a list", () => {
  test("are given from the front, each to one job at a time", () => {
    const { pool, take } = aPool();

    expect(take("one", { units: { licence: 2 } })).toMatchObject({ units: { licence: ["a", "b"] } });
    expect(take("two", { units: { licence: 2 } })).toEqual({ lacks: "1 of 2 licence are free" });
    pool.free("one");
    expect(take("two", { units: { licence: 2 } })).toMatchObject({ units: { licence: ["a", "b"] } });
  });

  test("that nobody knows are not there, whatever their name", () => {
    expect(aPool().take("one", { units: { constructor: 1 } })).toEqual({
      lacks: "0 of 1 constructor are free",
    });
  });
});

describe("memory of GPUs", () => {
  test("is shared by jobs as long as it lasts", () => {
    const { take } = aPool();

    expect(take("one", gpus(2, 12))).toMatchObject({
      gpus: [
        { index: 0, memoryGiB: 12 },
        { index: 1, memoryGiB: 12 },
      ],
    });
    expect(take("two", gpus(1, 12))).toMatchObject({ gpus: [{ index: 0, memoryGiB: 12 }] });
    expect(take("three", gpus(1, 8))).toEqual({ lacks: "0 of 1 GPUs with 8 GiB are free" });
    expect(take("four", gpus(1, 4))).toMatchObject({ gpus: [{ index: 1, memoryGiB: 4 }] });
  });

  test("follows the settings of now: what is out stays out when there is less", () => {
    let settings = SETTINGS;
    const { pool, take } = aPool(() => settings);
    take("one", gpus(1, 20));

    settings = { format_version: "1.0", gpus: [{ memoryGiB: 10 }] };
    expect(take("two", gpus(1, 1))).toEqual({ lacks: "0 of 1 GPUs with 1 GiB are free" });
    pool.free("one");
    expect(take("two", gpus(1, 1))).toMatchObject({ gpus: [{ index: 0 }] });
  });
});

describe("what is kept for a job", () => {
  test("returns when it has not been given out in time", () => {
    const { pool, clock } = aPool();
    const kept = pool.check("one", { units: { licence: 3 } });
    if ("lacks" in kept) throw new RangeError(kept.lacks);

    clock.nowMs = 29_999;
    expect(pool.check("two", { units: { licence: 1 } })).toHaveProperty("lacks");
    clock.nowMs = 30_000;
    expect(pool.check("two", { units: { licence: 1 } })).toHaveProperty("token");
    expect(pool.allocate("one", kept.token)).toEqual({ lacks: "what was kept for the job has returned" });
  });

  test("is given out once, by its token alone", () => {
    const { pool } = aPool();
    const kept = pool.check("one", {});
    if ("lacks" in kept) throw new RangeError(kept.lacks);

    expect(pool.allocate("one", "0".repeat(32))).toHaveProperty("lacks");
    expect(pool.allocate("one", kept.token)).toEqual({ gpus: [], units: {} });
    expect(pool.allocate("one", kept.token)).toEqual({ lacks: "it was given out before" });
  });

  test("can be given back before, and not once it is out", () => {
    const { pool, take } = aPool();
    const kept = pool.check("one", {});
    if ("lacks" in kept) throw new RangeError(kept.lacks);
    pool.cancel("one", kept.token);
    expect(pool.holders).toBe(0);

    take("two", {});
    const again = pool.check("two", {});
    pool.cancel("two", "token" in again ? again.token : "");
    expect(pool.holders).toBe(1);
  });

  test("is the same when it is asked for again", () => {
    const { pool } = aPool();

    expect(pool.check("one", { units: { licence: 3 } })).toEqual(
      pool.check("one", { units: { licence: 3 } }),
    );
    expect(pool.holders).toBe(1);
  });

  test("is what the job was last said to need: a server that asks for another amount changes nothing", () => {
    const { pool, take } = aPool();
    pool.check("little", {});
    pool.check("much", { units: { licence: 3 } });

    expect(take("little", { ...gpus(1, 20) })).toMatchObject({ gpus: [{ index: 0, memoryGiB: 20 }] });
    expect(take("much", { units: { licence: 1 } })).toMatchObject({ units: { licence: ["a"] } });
    expect(take("other", { units: { licence: 2 } })).toMatchObject({ units: { licence: ["b", "c"] } });
  });

  test("goes, once it is free, to the job that has waited longest, however often the others looked", async () => {
    const { pool } = aPool();
    const woken: string[] = [];
    const wait = (jobId: string): void => {
      pool.freed(jobId).then(
        () => woken.push(jobId),
        () => undefined,
      );
    };
    pool.check("one", {});
    wait("first");
    wait("second");
    wait("gone");
    wait("first");

    pool.free("gone");
    pool.free("one");
    await Promise.resolve();
    await Promise.resolve();

    expect(woken).toEqual(["first", "second"]);
  });

  test("is a place too: no more jobs at once than the settings say, whatever they need", () => {
    const { take } = aPool(() => ({ ...SETTINGS, limits: { concurrentJobs: 1 } }));

    expect(take("one", {})).toHaveProperty("gpus");
    expect(take("two", {})).toEqual({ lacks: "at most 1 jobs at once" });
  });

  test.each([
    ["cannot be used", () => ({ unusable: "line 3" })],
    [
      "cannot be read",
      () => {
        throw new Error("gone");
      },
    ],
  ])("is nothing while the settings %s", (_what, source: ResourceSource) => {
    expect(aPool(source).take("one", {})).toEqual({
      lacks: "the settings of this site cannot be used at present",
    });
  });
});

describe("resources.json", () => {
  test.each([
    ["another version", { format_version: "2" }],
    ["a field that nobody knows", { format_version: "1.0", gpu: [] }],
    ["a GPU without memory", { format_version: "1.0", gpus: [{ memoryGiB: 0 }] }],
    ["a unit twice", { format_version: "1.0", units: { licence: ["a", "a"] } }],
    ["too long a wait", { format_version: "1.0", reservationSeconds: 301 }],
    ["a limit below nothing", { format_version: "1.0", limits: { concurrentJobs: -1 } }],
  ])("is refused with %s", (_what, document) => {
    expect(v.safeParse(resourceSettingsSchema, document).success).toBe(false);
  });

  test("says what the host has", () => {
    expect(v.parse(resourceSettingsSchema, SETTINGS)).toEqual(SETTINGS);
  });
});
