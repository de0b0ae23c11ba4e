import { describeError, type ErrorCode } from "@photinus/core/errors";
import { type ContributionBody, evaluationResult, type Task } from "@photinus/core/message";
import { expect, test } from "vitest";
import { atWork, Ground } from "./equipment/a-ground.ts";
import { HostileSite } from "./equipment/hostile-site.ts";
import { updateOf } from "./equipment/linear-job.ts";

/** A job whose first round waits for mallory and the honest site. */
async function inARound(): Promise<{
  readonly ground: Ground;
  readonly job: { readonly jobId: string };
  readonly mallory: HostileSite;
  readonly task: Task;
}> {
  const ground = await Ground.open();
  ground.startHonestSite();
  const mallory = await HostileSite.connect(ground);
  const job = await ground.submit({ minimumSites: 2, roundTimeoutMs: 5_000 });
  const task = await mallory.tasks.next();
  return { ground, job, mallory, task };
}

/** Mallory is honest in what follows, so that rounds do not wait for it. */
async function behave(mallory: HostileSite): Promise<void> {
  for (;;) {
    const task = await mallory.tasks.next();
    if (task.kind === "train") await mallory.contribute(task, updateOf(0.001));
    else await mallory.session.send(evaluationResult, { jobId: task.jobId, taskId: task.taskId });
  }
}

type Lie = readonly [name: string, value: number, changes: Partial<ContributionBody>, code: ErrorCode];

const LIES: readonly Lie[] = [
  ["holds NaN", Number.NaN, {}, "ERR_CONTRIBUTION_NOT_FINITE"],
  ["holds an infinite value", Number.POSITIVE_INFINITY, {}, "ERR_CONTRIBUTION_NOT_FINITE"],
  ["is so large that sums of it overflow", 3e38, { norm: 1e39 }, "ERR_CONTRIBUTION_NOT_FINITE"],
  ["is larger than it says", 1000, { norm: 1 }, "ERR_CONTRIBUTION_NORM"],
  ["claims no examples", 1, { exampleCount: 0 }, "ERR_CONTRIBUTION_EXAMPLES"],
  ["claims a negative number of examples", 1, { exampleCount: -5 }, "ERR_CONTRIBUTION_EXAMPLES"],
  ["claims half an example", 1, { exampleCount: 0.5 }, "ERR_CONTRIBUTION_EXAMPLES"],
  ["claims more examples than the job allows", 1, { exampleCount: 1001 }, "ERR_CONTRIBUTION_EXAMPLES"],
  ["starts from another version", 1, { baseVersion: 7 }, "ERR_CONTRIBUTION_VERSION"],
  ["lacks its tensors", 1, { tensors: [] }, "ERR_CONTRIBUTION_SHAPE"],
  [
    "measured on more held-out examples than the job allows",
    1,
    { evaluation: { loss: 1, accuracy: 1, exampleCount: 2 ** 48 } },
    "ERR_CONTRIBUTION_EXAMPLES",
  ],
];

test("each lie about an update is refused with its own cause, round after round, and the others go on", async () => {
  const ground = await Ground.open();
  ground.startHonestSite();
  const mallory = await HostileSite.connect(ground);
  const job = await ground.submit({ minimumSites: 1, rounds: LIES.length });
  const ended = ground.survives(job);

  for (const [name, value, changes, code] of LIES) {
    const task = await mallory.tasks.next();
    await mallory.contribute(task, updateOf(value), changes);
    const answer = await mallory.answers.next();
    expect(answer, `an update that ${name}`).toEqual({ kind: "refused", code, taskId: task.taskId });
    expect(describeError(code).remedy).not.toBe("");
  }
  void behave(mallory);

  const { history } = await ended;
  const causes = history.map(
    ({ contributions }) => contributions.find(({ site }) => site === "mallory")?.cause,
  );
  expect(causes).toEqual(LIES.map(([, , , code]) => code));
  const results = (await ground.events("result")).filter(({ object }) => object === "mallory");
  expect(results.slice(0, LIES.length).map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual(
    LIES.map(([, , , code]) => `refused ${code}`),
  );
});

test("an honest round goes on beside a refused update and keeps what was accepted", async () => {
  const { ground, job } = await atWork();
  const mallory = await HostileSite.connect(ground);
  const lie = mallory.tasks.next().then(async (task) => {
    await mallory.contribute(task, updateOf(Number.NaN));
    void behave(mallory);
    return await mallory.answers.next();
  });

  const view = await ground.survives(job);

  expect(await lie).toMatchObject({ kind: "refused", code: "ERR_CONTRIBUTION_NOT_FINITE" });
  const second = view.history[1]?.contributions ?? [];
  expect(second.map(({ site, outcome }) => `${site} ${outcome}`).sort()).toEqual([
    "honest accepted",
    "mallory refused",
  ]);
});

test("an update that is sent twice counts once", async () => {
  const { ground, job, mallory, task } = await inARound();
  const body = await mallory.contribute(task, updateOf(0.001));
  expect((await mallory.answers.next()).kind).toBe("received");

  await mallory.contribute(task, updateOf(0.5), { norm: body.norm });

  expect(await mallory.answers.next()).toMatchObject({ kind: "refused", code: "ERR_CONTRIBUTION_DUPLICATE" });
  void behave(mallory);
  const view = await ground.survives(job, ["honest", "mallory"]);
  expect(view.history[0]?.contributions).toHaveLength(2);
});

test("an update for a task of another job, or of no job, is refused", async () => {
  const { ground, job, mallory, task } = await inARound();

  await mallory.contribute({ ...task, taskId: "ab".repeat(16) }, updateOf(0.001));
  expect(await mallory.answers.next()).toMatchObject({ kind: "refused", code: "ERR_TASK_UNKNOWN" });
  await mallory.contribute({ ...task, jobId: "cd".repeat(16) }, updateOf(0.001));
  expect(await mallory.answers.next()).toMatchObject({ kind: "refused", code: "ERR_JOB_UNKNOWN" });

  await mallory.contribute(task, updateOf(0.001));
  expect((await mallory.answers.next()).kind).toBe("received");
  void behave(mallory);
  await ground.survives(job, ["honest", "mallory"]);
});

test("a site that was not asked cannot answer for one that was", async () => {
  const { ground, job, mallory, task } = await inARound();
  const late = await ground.project.add("site", "latecomer");
  const stranger = await HostileSite.connect(ground, late);

  await stranger.contribute(task, updateOf(0.5));

  expect(await stranger.answers.next()).toMatchObject({ kind: "refused", code: "ERR_TASK_UNKNOWN" });
  await mallory.contribute(task, updateOf(0.001));
  void behave(mallory);
  void behave(stranger);
  const view = await ground.survives(job, ["honest", "mallory"]);
  expect(view.history[0]?.contributions.map(({ site }) => site).sort()).toEqual(["honest", "mallory"]);
});

test("losses too large to average are refused, and the job's figures stay finite", async () => {
  const { ground, job, mallory, task } = await inARound();

  await mallory.contribute(task, updateOf(0.001), { trainingLoss: 1.7e308 });
  expect((await mallory.refusals.next()).code).toBe("ERR_MESSAGE_MALFORMED");
  await mallory.contribute(task, updateOf(0.001), {
    evaluation: { loss: 1.7e308, accuracy: 1, exampleCount: 900 },
  });
  expect((await mallory.refusals.next()).code).toBe("ERR_MESSAGE_MALFORMED");

  await mallory.contribute(task, updateOf(0.001));
  expect((await mallory.answers.next()).kind).toBe("received");
  void behave(mallory);
  const view = await ground.survives(job, ["honest", "mallory"]);
  for (const { trainingLoss } of view.history) expect(Number.isFinite(trainingLoss)).toBe(true);
});
