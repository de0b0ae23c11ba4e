import { describe, expect, test } from "vitest";
import type { AuditRecord } from "../../src/platform/index.ts";
import { memoryAudit } from "../../src/testing/index.ts";
import { TestFederation } from "../coordinator/a-federation.ts";
import { ALONE, aScope, aSite, noMetrics, policyOf } from "./a-private-site.ts";

const DELTA = 1e-5;
const clip = (clippingNorm: number) => ({ name: "clip-norm", args: { clippingNorm } });

describe("an update of a site with filters", () => {
  test("leaves through the site's filters, then the job's, and each is on record and shown with its numbers", async () => {
    const federation = await TestFederation.start();
    const { site, records } = aSite(federation, aScope({ task_result_filters: [clip(0.01)] }));
    const jobId = await federation.submit(ALONE, { filters: { siteResult: [clip(0.005)] } });

    const view = await federation.untilEnd(jobId);

    expect(view.state).toBe("finished");
    const [first] = site.status.outgoing;
    expect(first?.norm).toBeLessThanOrEqual(0.005);
    expect(first?.norm).toBeGreaterThan(0.004_99);
    expect(first?.privacy).toMatchObject({
      scope: "study",
      tellsMetrics: true,
      filters: [
        { name: "clip-norm", origin: "site", numbers: { clippingNorm: 0.01 } },
        {
          name: "clip-norm",
          origin: "job",
          numbers: { clippingNorm: 0.005, factor: expect.closeTo(0.5, 5) },
        },
      ],
    });
    expect(view.history[0]?.contributions[0]?.norm).toBeCloseTo(0.005, 6);
    expect((await records()).filter(({ correlation }) => correlation === jobId)).toHaveLength(4);
    expect((await records())[0]).toMatchObject({
      action: "filter",
      outcome: "done",
      correlation: jobId,
      details: {
        filter: "clip-norm",
        of: "site",
        point: "site-result",
        kind: "update",
        round: 1,
        clippingNorm: 0.01,
      },
    });
    await federation.stop();
  });

  test("an excluded parameter leaves as zeros, and the others train on", async () => {
    const federation = await TestFederation.start();
    const exclude = { name: "exclude-parameters", args: { parameters: ["bias"] } };
    const { site } = aSite(federation, aScope({ task_result_filters: [exclude] }));
    const jobId = await federation.submit(ALONE);

    await federation.untilEnd(jobId);

    const tensors = site.status.outgoing[0]?.tensors;
    expect(tensors?.find(({ name }) => name === "bias")?.norm).toBe(0);
    expect(tensors?.find(({ name }) => name === "weight")?.norm).toBeGreaterThan(0);
    await federation.stop();
  });

  test("losses and evaluations stay at a site that blocks metrics, and the round counts all the same", async () => {
    const federation = await TestFederation.start();
    const { site, records } = aSite(federation, aScope({ task_result_filters: [noMetrics] }));
    const jobId = await federation.submit(ALONE);

    const view = await federation.untilEnd(jobId);

    expect(view.state).toBe("finished");
    expect(view.history[0]?.contributions[0]).toMatchObject({ outcome: "accepted", trainingLoss: 0 });
    expect(
      view.history.every(
        ({ evaluation, trainingLoss }) => evaluation === undefined && trainingLoss === undefined,
      ),
    ).toBe(true);
    expect(site.status.outgoing[0]?.privacy.tellsMetrics).toBe(false);
    expect(site.status.job?.evaluations.length).toBeGreaterThan(0);
    expect(
      (await records()).some(({ details }) => details["kind"] === "metrics" && details["blocked"] === 1),
    ).toBe(true);
    await federation.stop();
  });

  test("does not leave when a filter does not fit it: the cause is told, and is on record", async () => {
    const federation = await TestFederation.start();
    const { site, records } = aSite(federation, aScope({}));
    const jobId = await federation.submit(ALONE, {
      filters: { siteResult: [{ name: "block-kinds", args: { kinds: ["update"] } }] },
    });

    const view = await federation.untilEnd(jobId);

    expect(view.history[0]?.contributions[0]).toMatchObject({
      outcome: "refused",
      cause: "ERR_FILTER_REFUSED",
    });
    expect(site.status.outgoing).toEqual([]);
    expect((await records())[0]).toMatchObject({ outcome: "refused", reason: "ERR_FILTER_REFUSED" });
    await federation.stop();
  });

  test("does not leave when what happened cannot be recorded", async () => {
    const federation = await TestFederation.start();
    const { site } = aSite(federation, aScope({ task_result_filters: [clip(1)] }), {
      audit: {
        store: memoryAudit(federation.crypto),
        record: (note) =>
          note.action === "filter"
            ? Promise.reject(new Error("disk full"))
            : Promise.resolve({} as AuditRecord),
      },
    });
    const jobId = await federation.submit(ALONE);

    const view = await federation.untilEnd(jobId);

    expect(view.history[0]?.contributions[0]).toMatchObject({ outcome: "refused" });
    expect(site.status.outgoing).toEqual([]);
    await federation.stop();
  });

  test("a model comes in through the filters of both", async () => {
    const federation = await TestFederation.start();
    const { records } = aSite(federation, aScope({ task_data_filters: [{ name: "fp16" }] }));
    const jobId = await federation.submit(ALONE);

    expect((await federation.untilEnd(jobId)).state).toBe("finished");

    expect((await records())[0]?.details).toMatchObject({
      filter: "fp16",
      point: "site-data",
      kind: "model",
    });
    await federation.stop();
  });
});

describe("the scope of a job", () => {
  const both = policyOf({ scopes: [{ name: "public" }, { name: "study" }], default_scope: "public" });

  test.each([
    ["names one that the site has", both, "study", "study"],
    ["is the site's default when it names none", both, undefined, "public"],
  ])("%s", async (_what, state, scope, expected) => {
    const federation = await TestFederation.start();
    const { site } = aSite(federation, state);
    const jobId = await federation.submit(ALONE, scope === undefined ? {} : { scope });

    await federation.untilEnd(jobId);

    expect(site.status.outgoing[0]?.privacy.scope).toBe(expected);
    await federation.stop();
  });

  test.each([
    ["that the site does not have", both, "Study", "there is no scope Study here"],
    [
      "that is not named, without a default",
      policyOf({ scopes: [{ name: "a" }] }),
      undefined,
      "names no scope",
    ],
    [
      "under a policy that is broken",
      { ...both, problem: "privacy.json:3:1 ..." },
      "study",
      "cannot be used at present",
    ],
    ["under no policy", { problem: "there is no file" }, undefined, "cannot be used at present"],
    [
      "with a budget that nothing counts against",
      aScope({ task_result_filters: [noMetrics], budget: { epsilon: 1, delta: DELTA } }),
      undefined,
      "no filter of the site or the job adds noise that counts",
    ],
  ])("is refused %s, before anybody is asked", async (_what, state, scope, words) => {
    const federation = await TestFederation.start();
    let asked = 0;
    aSite(federation, state, {
      decideJob: () => {
        asked += 1;
        return Promise.resolve("accept");
      },
    });
    const jobId = await federation.submit(ALONE, scope === undefined ? {} : { scope });

    const view = await federation.untilEnd(jobId);

    expect(view.sites[0]).toMatchObject({
      phase: "refused",
      cause: "ERR_JOB_DECLINED",
      detail: expect.stringContaining(words),
    });
    expect(asked).toBe(0);
    await federation.stop();
  });

  test("is shown to whoever decides, with what the policy says of it", async () => {
    const federation = await TestFederation.start();
    let scope: unknown;
    aSite(federation, aScope({ properties: { ethics: "2026-17" } }), {
      decideJob: (job) => {
        scope = job.scope;
        return Promise.resolve("accept");
      },
    });

    await federation.untilEnd(await federation.submit(ALONE));

    expect(scope).toEqual({ name: "study", properties: { ethics: "2026-17" } });
    await federation.stop();
  });

  test("an edit holds from the next task on; a broken one leaves the last valid policy to jobs that run", async () => {
    const federation = await TestFederation.start();
    const made = aSite(federation, aScope({ task_result_filters: [clip(0.01)] }));
    const norms = () => made.site.status.outgoing.map(({ norm }) => norm);
    let left = 0;
    made.site.watch(({ outgoing }) => {
      if (outgoing.length === left) return;
      left = outgoing.length;
      if (left === 1) made.state = aScope({ task_result_filters: [clip(0.001)] });
      if (left === 2) made.state = { ...made.state, problem: "privacy.json:1:1 expected a map" };
    });
    const jobId = await federation.submit({ ...ALONE, rounds: 3 });

    expect((await federation.untilEnd(jobId)).state).toBe("finished");

    expect(norms()[0]).toBeCloseTo(0.01, 6);
    expect(norms()[1]).toBeCloseTo(0.001, 6);
    expect(norms()[2]).toBeCloseTo(0.001, 6);
    await federation.stop();
  });

  test("a scope that an edit takes away ends the releases of its jobs", async () => {
    const federation = await TestFederation.start();
    const made = aSite(federation, aScope({}));
    made.site.watch(({ outgoing }) => {
      if (outgoing.length === 1) made.state = aScope({}, "other");
    });
    const jobId = await federation.submit(ALONE);

    const view = await federation.untilEnd(jobId);

    expect(view.history[1]?.contributions[0]).toMatchObject({ cause: "ERR_FILTER_REFUSED" });
    expect(made.site.status.outgoing).toHaveLength(1);
    await federation.stop();
  });
});

test.each([
  [
    "a filter that nobody knows",
    { filters: { siteResult: [{ name: "shuffle", args: {} }] } },
    "filters.siteResult.0",
  ],
  [
    "arguments out of range",
    { filters: { siteResult: [clip(-1)] } },
    "filters.siteResult.0.args.clippingNorm",
  ],
  ["a filter that does nothing at its point", { filters: { siteData: [clip(1)] } }, "filters.siteData.0"],
  ["a scope that is no name", { scope: "../study" }, "scope"],
])("a job with %s is refused when it is signed", async (_what, fields, words) => {
  const federation = await TestFederation.start();

  await expect(federation.submit(ALONE, fields)).rejects.toMatchObject({
    code: "ERR_JOB_INVALID",
    message: expect.stringContaining(words),
  });
  await federation.stop();
});
