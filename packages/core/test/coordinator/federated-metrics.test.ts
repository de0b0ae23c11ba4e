import { expect, test } from "vitest";
import type { JobDefinition, MetricDefinition } from "../../src/job/index.ts";
import { TestFederation } from "./a-federation.ts";
import type { LinearTrainerHooks } from "./linear-trainer.ts";

const METRICS: readonly MetricDefinition[] = [
  { name: "top-k", k: 2 },
  { name: "confusion-matrix", classes: 2 },
];

/** What sites count of two labels by two answers: sites of other sizes and classes, whose mean would be another number. */
const COUNTS: Readonly<Record<string, readonly number[]>> = {
  "site-1": [9, 1, 0, 0],
  "site-2": [0, 0, 10, 20],
};

const sumsOf = (site: string): Float64Array => {
  const counts = COUNTS[site] ?? [];
  const all = counts.reduce((sum, count) => sum + count, 0);
  return Float64Array.of(all / 2, all, ...counts);
};

async function run(hooks: (site: string) => LinearTrainerHooks, definition: Partial<JobDefinition> = {}) {
  const federation = await TestFederation.start();
  for (const name of ["site-1", "site-2"]) federation.site(name, { hooks: hooks(name) });
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: 1, minimumSites: 1 }, { metrics: METRICS, ...definition });
  const view = await federation.untilEnd(jobId);
  await federation.stop();
  return view;
}

test("metrics of a job are numbers of all examples together, which the server makes of sums", async () => {
  const view = await run((site) => ({ measure: (evaluation) => ({ ...evaluation, sums: sumsOf(site) }) }));

  const balanced = (9 / 10 + 20 / 30) / 2;
  const metrics = [
    { name: "top-2", value: 0.5 },
    { name: "confusion-matrix", value: balanced },
  ];
  expect(view.state).toBe("finished");
  expect(view.initialEvaluation?.metrics).toEqual(metrics);
  expect(view.history[0]?.evaluation?.metrics).toEqual(metrics);
});

test.each([
  ["too few", new Float64Array(5)],
  ["none", undefined],
  ["what is no number", Float64Array.of(0, 0, 0, 0, 0, Number.NaN)],
])("a site that tells %s is refused, and the others count", async (_, sums) => {
  const view = await run((site) => ({
    measure: (evaluation) =>
      site === "site-1" && sums === undefined
        ? evaluation
        : { ...evaluation, sums: site === "site-1" ? sums! : sumsOf(site) },
  }));

  const outcomes = view.history[0]?.contributions.map(({ site, outcome, cause }) => [site, outcome, cause]);
  expect(outcomes).toEqual(
    expect.arrayContaining([
      ["site-1", "refused", "ERR_CONTRIBUTION_SHAPE"],
      ["site-2", "accepted", ""],
    ]),
  );
  expect(view.initialEvaluation?.metrics?.at(-1)).toEqual({ name: "confusion-matrix", value: 20 / 30 });
});

test("sums that the job did not ask for are refused", async () => {
  const view = await run(
    (site) => ({
      measure: (evaluation) => ({ ...evaluation, ...(site === "site-1" ? { sums: sumsOf(site) } : {}) }),
    }),
    { metrics: [] },
  );

  expect(view.history[0]?.contributions.map(({ site, outcome }) => [site, outcome])).toEqual(
    expect.arrayContaining([
      ["site-1", "refused"],
      ["site-2", "accepted"],
    ]),
  );
});

test("a site's log says why devices were not taken for a job", async () => {
  const lines: unknown[] = [];
  const log = (message: string, fields: unknown): void => {
    lines.push([message, fields]);
  };
  const federation = await TestFederation.start();
  const logger = { debug: log, info: log, warn: log, error: () => undefined };
  const rejected = [{ device: "cuda", reason: "no library of CUDA" }];
  federation.site("site-1", { hooks: { prepared: { rejected } }, modules: { logger } });
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: 1, minimumSites: 1 });
  const view = await federation.untilEnd(jobId);
  await federation.stop();

  expect(view.state).toBe("finished");
  expect(lines).toContainEqual(["a trainer is ready", { jobId, device: "cpu" }]);
  expect(lines).toContainEqual([
    "a device was not taken",
    { jobId, device: "cuda", reason: "no library of CUDA" },
  ]);
});
