import { describe, expect, test } from "vitest";
import type { ContributionBody } from "../../src/message/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite, UPDATE_LAYOUT, updateOf } from "./raw-site.ts";

interface Case {
  readonly name: string;
  readonly code: string;
  readonly value?: number;
  readonly changes: (honest: RawSite) => Partial<ContributionBody>;
}

const [WEIGHT, BIAS] = UPDATE_LAYOUT.tensors;
if (WEIGHT === undefined || BIAS === undefined) throw new RangeError("the layout has two tensors");

const CASES: readonly Case[] = [
  {
    name: "refuses an update that holds NaN",
    code: "ERR_CONTRIBUTION_NOT_FINITE",
    value: Number.NaN,
    changes: () => ({}),
  },
  {
    name: "refuses an update that holds an infinite value",
    code: "ERR_CONTRIBUTION_NOT_FINITE",
    value: Number.POSITIVE_INFINITY,
    changes: () => ({}),
  },
  {
    name: "refuses a tensor of another shape",
    code: "ERR_CONTRIBUTION_SHAPE",
    changes: () => ({ tensors: [{ ...WEIGHT, shape: [2, 2] }, BIAS] }),
  },
  {
    name: "refuses a tensor of another dtype",
    code: "ERR_CONTRIBUTION_SHAPE",
    changes: () => ({ tensors: [{ ...WEIGHT, dtype: "i32" }, BIAS] }),
  },
  {
    name: "refuses a tensor of another name",
    code: "ERR_CONTRIBUTION_SHAPE",
    changes: () => ({ tensors: [{ ...WEIGHT, name: "other" }, BIAS] }),
  },
  {
    name: "refuses a tensor that is missing",
    code: "ERR_CONTRIBUTION_SHAPE",
    changes: () => ({ tensors: [WEIGHT] }),
  },
  {
    name: "refuses an example count of zero",
    code: "ERR_CONTRIBUTION_EXAMPLES",
    changes: () => ({ exampleCount: 0 }),
  },
  {
    name: "refuses a negative example count",
    code: "ERR_CONTRIBUTION_EXAMPLES",
    changes: () => ({ exampleCount: -5 }),
  },
  {
    name: "refuses half an example",
    code: "ERR_CONTRIBUTION_EXAMPLES",
    changes: () => ({ exampleCount: 1.5 }),
  },
  {
    name: "refuses more examples than the job allows",
    code: "ERR_CONTRIBUTION_EXAMPLES",
    changes: () => ({ exampleCount: 1001 }),
  },
  {
    name: "refuses an update from another model version",
    code: "ERR_CONTRIBUTION_VERSION",
    changes: () => ({ baseVersion: 3 }),
  },
  {
    name: "refuses an update that is larger than its declared norm",
    code: "ERR_CONTRIBUTION_NORM",
    changes: () => ({ norm: 0.1 }),
  },
  {
    name: "refuses an update for a task that was never given",
    code: "ERR_TASK_UNKNOWN",
    changes: () => ({ taskId: "ab".repeat(16) }),
  },
];

describe("a contribution", () => {
  test.each(CASES)("$name", async ({ code, value = 1, changes }) => {
    const federation = await TestFederation.start();
    await RawSite.connect(federation, "site-1");
    const site = await RawSite.connect(federation, "site-2");
    const jobId = await federation.submit({ rounds: 1, minimumSites: 1 });
    await federation.clock.settle();

    await site.contribute(updateOf(value), changes(site));

    expect(site.answers.map(({ kind, code: told }) => [kind, told])).toEqual([["refused", code]]);
    expect((await federation.view(jobId)).state).toBe("running");
    await federation.stop();
  });

  test("is refused for its one cause while the other sites' round goes on", async () => {
    const federation = await TestFederation.start();
    const [good, bad] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    const jobId = await federation.submit({
      rounds: 1,
      minimumSites: 2,
      roundTimeoutMs: 1000,
      waitForSitesMs: 0,
    });
    await federation.clock.settle();

    await bad.contribute(updateOf(Number.NaN));
    await good.contribute(updateOf(1));

    const view = await federation.untilEnd(jobId);
    expect(view.state).toBe("failed");
    expect(view.history[0]?.contributions.map(({ site, outcome, cause }) => [site, outcome, cause])).toEqual([
      ["site-2", "refused", "ERR_CONTRIBUTION_NOT_FINITE"],
      ["site-1", "accepted", ""],
    ]);
    const results = (await federation.records()).filter(({ event }) => event.action === "result");
    expect(results.map(({ event }) => [event.object, event.outcome, event.reason])).toEqual([
      ["site-2", "refused", "ERR_CONTRIBUTION_NOT_FINITE"],
      ["site-1", "accepted", ""],
    ]);
    await federation.stop();
  });

  test("counts once: a second one for the same task is a duplicate", async () => {
    const federation = await TestFederation.start();
    const [first, second] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    const jobId = await federation.submit({ rounds: 1, minimumSites: 2 });
    await federation.clock.settle();

    await first.contribute(updateOf(1));
    await first.contribute(updateOf(9));

    expect(first.answers.map(({ kind, code }) => [kind, code])).toEqual([
      ["received", ""],
      ["refused", "ERR_CONTRIBUTION_DUPLICATE"],
    ]);
    await second.contribute(updateOf(3));
    expect((await federation.view(jobId)).history[0]?.contributions.map(({ norm }) => norm)).toEqual([
      Math.sqrt(5),
      Math.sqrt(45),
    ]);
    await federation.stop();
  });

  test("whose chunks are not the ones that were signed is refused, and the session goes on", async () => {
    const federation = await TestFederation.start();
    const [good, bad] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    await federation.submit({ rounds: 1, minimumSites: 2 });
    await federation.clock.settle();

    await bad.contribute(updateOf(1), {}, updateOf(2));
    await good.contribute(updateOf(1));

    expect(bad.answers).toMatchObject([{ kind: "refused", code: "ERR_DIGEST_MISMATCH" }]);
    expect(good.answers[0]?.kind).toBe("received");
    expect(bad.session.signal.aborted).toBe(false);
    await federation.stop();
  });

  test("is answered COMMITTED once the round's checkpoint is durable", async () => {
    const federation = await TestFederation.start();
    const [first, second] = [
      await RawSite.connect(federation, "site-1"),
      await RawSite.connect(federation, "site-2"),
    ];
    await federation.submit({ rounds: 2, minimumSites: 2 });
    await federation.clock.settle();
    await first.contribute(updateOf(1));
    expect(first.answers.map(({ kind }) => kind)).toEqual(["received"]);

    await second.contribute(updateOf(2));
    await federation.clock.settle();

    expect(first.answers.map(({ kind }) => kind)).toEqual(["received", "committed"]);
    expect(first.task.round).toBe(2);
    await federation.stop();
  });
});

test("an upload that stalls gives its slot to the next one and is refused", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const [stalled, good] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  await federation.submit({ rounds: 1, minimumSites: 2, roundTimeoutMs: 600_000 });
  await federation.clock.settle();
  await stalled.announce(updateOf(1));
  await good.contribute(updateOf(1));
  expect(good.answers).toEqual([]);

  await federation.clock.advance(15_000);

  expect(stalled.answers).toMatchObject([{ kind: "refused", code: "ERR_STREAM_REFUSED" }]);
  expect(good.answers).toMatchObject([{ kind: "received" }]);
  await federation.stop();
});

test("a session that ends in the middle of an upload frees its slot, and its site is missing unless it comes back", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const [gone, good] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  const jobId = await federation.submit({ rounds: 1, minimumSites: 2 });
  await federation.clock.settle();
  await gone.announce(updateOf(1));
  await good.contribute(updateOf(1));

  federation.connections.get("site-1")?.cut();
  await federation.clock.settle();

  expect(good.answers).toMatchObject([{ kind: "received" }]);
  const outcomes = async () =>
    (await federation.view(jobId)).history[0]?.contributions.map(({ site, cause }) => [site, cause]);
  await federation.clock.advance(14_999);
  expect(await outcomes()).toEqual([["site-2", ""]]);
  await federation.clock.advance(1);
  expect(await outcomes()).toEqual([
    ["site-2", ""],
    ["site-1", "ERR_SITE_DISCONNECTED"],
  ]);
  await federation.stop();
});
