import { expect, test } from "vitest";
import type { AggregationDefinition } from "../../src/aggregation/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite, updateOf } from "./raw-site.ts";

const NAMES = ["site-1", "site-2", "site-3", "site-4"];
const MEDIAN: AggregationDefinition = { name: "median", byzantine: 1 };

async function firstWeight(federation: TestFederation, jobId: string): Promise<number | undefined> {
  const user = await federation.user();
  const { model } = await federation.clock.runUntil(user.job(jobId).result());
  await user.close();
  return model.get("weight")?.f32[0];
}

/** One round: each site sends its value. @returns the weight that comes of it */
async function aRound(
  values: readonly number[],
  aggregation: AggregationDefinition,
): Promise<number | undefined> {
  const federation = await TestFederation.start();
  const sites: RawSite[] = [];
  for (const name of NAMES.slice(0, values.length)) sites.push(await RawSite.connect(federation, name));
  const jobId = await federation.submit({ rounds: 1, minimumSites: 3 }, { aggregation });
  await federation.clock.settle();
  for (const [index, site] of sites.entries()) await site.contribute(updateOf(values[index] ?? 0));
  await federation.untilEnd(jobId);
  const weight = await firstWeight(federation, jobId);
  await federation.stop();
  return weight;
}

test("a job that names the median gets it: a site that sends what it likes moves it no further than its neighbour", async () => {
  expect(await aRound([1, 2, 1000, 3], MEDIAN)).toBe(2.5);
  expect(await aRound([1, 2, 1000, 3], { name: "weighted-mean" })).toBe(251.5);
});

test("a job whose rule cannot keep its promise with the fewest sites of a round is refused", async () => {
  const federation = await TestFederation.start();

  await expect(
    federation.submit({ minimumSites: 4 }, { aggregation: { name: "krum", byzantine: 1 } }),
  ).rejects.toMatchObject({ code: "ERR_JOB_INVALID" });
  await federation.stop();
});

test("a server that dies in a round asks again for what its rule has to see, and makes the same model", async () => {
  const federation = await TestFederation.start();
  const sites: RawSite[] = [];
  for (const name of NAMES) sites.push(await RawSite.connect(federation, name));
  const jobId = await federation.submit({ rounds: 1, minimumSites: 3 }, { aggregation: MEDIAN });
  await federation.clock.settle();
  await sites[0]?.contribute(updateOf(1));
  await sites[2]?.contribute(updateOf(1000));
  await federation.clock.runUntil(federation.crash());
  const again: RawSite[] = [];
  for (const name of NAMES) again.push(await RawSite.connect(federation, name));
  await federation.clock.settle();

  for (const [index, site] of again.entries()) await site.contribute(updateOf([1, 2, 1000, 3][index] ?? 0));

  expect(await federation.untilEnd(jobId)).toMatchObject({ state: "finished" });
  expect(await firstWeight(federation, jobId)).toBe(2.5);
  await federation.stop();
});
