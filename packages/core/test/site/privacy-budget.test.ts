import { describe, expect, test } from "vitest";
import { epsilonOf, memorySpending } from "../../src/accounting/index.ts";
import { auditLog } from "../../src/audit/index.ts";
import type { PrivacyState } from "../../src/filter/index.ts";
import { memoryAudit, seededRandom } from "../../src/testing/index.ts";
import { TestFederation } from "../coordinator/a-federation.ts";
import { ALONE, aScope, aSite, noMetrics } from "./a-private-site.ts";

const DELTA = 1e-5;
const noise = { name: "gaussian-noise", args: { clippingNorm: 0.1, noiseMultiplier: 4 } };
const epsilonAfter = (count: number): number =>
  epsilonOf([{ mechanism: { kind: "gaussian", noiseMultiplier: 4, samplingRate: 1 }, count }], DELTA).epsilon;

describe("a privacy budget", () => {
  const budgeted = (rounds: number): PrivacyState =>
    aScope({
      task_result_filters: [noise, noMetrics],
      budget: { epsilon: epsilonAfter(rounds), delta: DELTA },
    });

  test("is spent before an update leaves, and ε is shown and on record", async () => {
    const federation = await TestFederation.start();
    const { site, records } = aSite(federation, budgeted(2));
    const jobId = await federation.submit(ALONE);

    expect((await federation.untilEnd(jobId)).state).toBe("finished");

    const spent = site.status.outgoing.map(({ privacy }) => privacy.spent?.epsilon);
    expect(spent).toEqual([epsilonAfter(1), epsilonAfter(2)]);
    expect(
      (await records()).filter(({ action }) => action === "budget").map(({ details }) => details),
    ).toEqual([
      {
        scope: "study",
        releases: 1,
        round: 1,
        epsilon: epsilonAfter(1),
        budget: epsilonAfter(2),
        delta: DELTA,
        ledger: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      {
        scope: "study",
        releases: 2,
        round: 2,
        epsilon: epsilonAfter(2),
        budget: epsilonAfter(2),
        delta: DELTA,
        ledger: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    await federation.stop();
  });

  test("refuses a job of one round more before it starts, and says what it would need", async () => {
    const federation = await TestFederation.start();
    const { site, records } = aSite(federation, budgeted(1));
    const jobId = await federation.submit(ALONE);

    const view = await federation.untilEnd(jobId);

    expect(view.sites[0]).toMatchObject({
      cause: "ERR_JOB_DECLINED",
      detail: expect.stringMatching(/scope study may spend epsilon .* and this needs .* in all/),
    });
    expect(site.status.outgoing).toEqual([]);
    expect((await records())[0]).toMatchObject({
      action: "budget",
      outcome: "refused",
      reason: "ERR_PRIVACY_BUDGET",
    });
    await federation.stop();
  });

  test("lasts beyond the process and over jobs: what one has spent the next one lacks", async () => {
    const federation = await TestFederation.start();
    const spending = memorySpending();
    const audit = auditLog(memoryAudit(federation.crypto), federation.clock);
    const first = aSite(federation, budgeted(3), { spending, audit });
    await federation.untilEnd(await federation.submit(ALONE));
    await federation.clock.runUntil(first.site.stop());
    const second = aSite(federation, budgeted(3), { spending, audit });

    const view = await federation.untilEnd(await federation.submit(ALONE));

    expect(view.sites[0]).toMatchObject({ cause: "ERR_JOB_DECLINED" });
    expect(second.site.status.outgoing).toEqual([]);
    const one = await federation.untilEnd(await federation.submit({ ...ALONE, rounds: 1 }));
    expect(one.state).toBe("finished");
    await federation.stop();
  });

  test("is refused where nothing keeps what is spent: the next process would begin anew", async () => {
    const federation = await TestFederation.start();
    federation.site("site-1", { modules: { privacy: () => budgeted(2) } });

    const view = await federation.untilEnd(await federation.submit(ALONE));

    expect(view.sites[0]).toMatchObject({
      cause: "ERR_JOB_DECLINED",
      detail: expect.stringContaining("nothing keeps what is spent"),
    });
    await federation.stop();
  });

  test("is spent by an update that a filter refuses too: that it was refused tells of the data", async () => {
    const federation = await TestFederation.start();
    const { site, records } = aSite(federation, budgeted(2));
    const jobId = await federation.submit(ALONE, {
      filters: { siteResult: [{ name: "block-kinds", args: { kinds: ["update"] } }] },
    });

    await federation.untilEnd(jobId);

    expect(site.status.outgoing).toEqual([]);
    expect(
      (await records()).map(({ action, outcome, details }) => [action, outcome, details["releases"]]),
    ).toEqual([
      ["budget", "done", 1],
      ["filter", "refused", undefined],
      ["budget", "done", 2],
      ["filter", "refused", undefined],
    ]);
    await federation.stop();
  });

  test("noise is no part of what the job's public seed determines", async () => {
    const norms: (number | undefined)[] = [];
    for (const label of ["a", "b"]) {
      const federation = await TestFederation.start();
      const { site } = aSite(federation, budgeted(1), { noise: seededRandom(label) });
      await federation.untilEnd(await federation.submit({ ...ALONE, rounds: 1 }));
      norms.push(site.status.outgoing[0]?.norm);
      await federation.stop();
    }

    expect(norms[0]).not.toBe(norms[1]);
  });
});
