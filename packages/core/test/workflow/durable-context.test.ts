import { describe, expect, test } from "vitest";
import { JobError, WireError } from "../../src/errors/index.ts";
import { CheckpointStore } from "../../src/job/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { memoryBlobs, memoryMetadata } from "../../src/testing/index.ts";
import {
  type Dispatch,
  fedavg,
  openJournal,
  runWorkflow,
  type TaskOrder,
  type Workflow,
  type WorkflowEffects,
  workflowRegistry,
} from "../../src/workflow/index.ts";
import { aBundle } from "../coordinator/a-federation.ts";

const CHECKPOINT = "c".repeat(64);
const crypto = webCrypto();

/** Effects that write down what was done. */
function effectsOf(done: string[], changes: Partial<WorkflowEffects> = {}): WorkflowEffects {
  const dispatch = (order: TaskOrder): Dispatch => ({
    taskId: order.round.toString().padStart(32, "0"),
    order,
    sites: ["site-1"],
    startedAtMs: 1,
  });
  return {
    broadcast: (order) => {
      done.push(`broadcast ${order.kind} ${order.round}`);
      return Promise.resolve(dispatch(order));
    },
    readySites: () => Promise.resolve(["site-1"]),
    discard: () => Promise.resolve(),
    send: (order, sites) => {
      done.push(`send ${sites.join()}`);
      return Promise.resolve(dispatch(order));
    },
    dispatched: () => undefined,
    aggregate: ({ order }) => {
      done.push(`aggregate ${order.round}`);
      const model = { version: order.round, checkpoint: CHECKPOINT };
      return Promise.resolve({ outcomes: [], endedAtMs: 2, ...(order.kind === "train" ? { model } : {}) });
    },
    checkpoint: ({ order }) => {
      done.push(`checkpoint ${order.round}`);
      return Promise.resolve({ version: order.round, checkpoint: CHECKPOINT });
    },
    now: () => 1000,
    sleepUntil: (atMs) => {
      done.push(`sleep until ${atMs}`);
      return Promise.resolve();
    },
    random: (length) => {
      done.push("random");
      return "ab".repeat(length);
    },
    log: (line) => {
      done.push(`log ${line}`);
    },
    ...changes,
  };
}

function aJournal() {
  const metadata = memoryMetadata();
  const checkpoints = new CheckpointStore(new Uint8Array(32), {
    crypto,
    metadata,
    blobs: memoryBlobs(crypto),
  });
  return () => openJournal("0".repeat(32), { metadata, checkpoints });
}

const job = {
  jobId: "0".repeat(32),
  definition: aBundle({ rounds: 2 }).definition,
  initialModel: { version: 0, checkpoint: CHECKPOINT },
};

const flow = (run: Workflow["run"], version = 1): Workflow => ({ name: "test", version, run });

describe("the durable context", () => {
  test("runs FedAvg as the algorithm says", async () => {
    const done: string[] = [];

    await runWorkflow(fedavg, job, { effects: effectsOf(done), journal: aJournal()() });

    expect(done).toEqual([
      "broadcast train 1",
      "aggregate 1",
      "checkpoint 1",
      "broadcast train 2",
      "aggregate 2",
      "checkpoint 2",
      "broadcast evaluate 2",
      "aggregate 2",
    ]);
  });

  test("gives recorded outcomes back without their effects", async () => {
    const open = aJournal();
    const seen: string[] = [];
    const workflow = flow(async (context) => {
      seen.push(await context.random(2));
      await context.sleep(500);
      await context.log("a line");
    });
    const done: string[] = [];
    await runWorkflow(workflow, job, { effects: effectsOf(done), journal: open() });
    expect(done).toEqual(["random", "sleep until 1500", "log a line"]);

    const again: string[] = [];
    const effects = effectsOf(again, { random: () => "never", now: () => 9000 });
    await runWorkflow(workflow, job, { effects, journal: open() });

    expect(again).toEqual(["sleep until 1500"]); // what is left of the recorded time
    expect(seen).toEqual(["abab", "abab"]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("goes on at call %i after it failed to be made", async (failing) => {
    const open = aJournal();
    let calls = 0;
    const stopAt = (effects: WorkflowEffects): WorkflowEffects => {
      const guard =
        <Args extends unknown[], T>(effect: (...args: Args) => Promise<T>) =>
        (...args: Args): Promise<T> => {
          calls += 1;
          return calls === failing
            ? Promise.reject(new WireError("ERR_GOING_AWAY", "stop"))
            : effect(...args);
        };
      return {
        ...effects,
        broadcast: guard(effects.broadcast),
        aggregate: guard(effects.aggregate),
        checkpoint: guard(effects.checkpoint),
      };
    };
    const done: string[] = [];
    const stopped = runWorkflow(fedavg, job, { effects: stopAt(effectsOf(done)), journal: open() });
    await expect(stopped).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
    expect(done).toHaveLength(failing - 1);

    await runWorkflow(fedavg, job, { effects: effectsOf(done), journal: open() });

    expect(done).toHaveLength(8);
    expect(new Set(done).size).toBe(8 - 1); // "aggregate 2" occurs for round and last evaluation
  });

  test("records a JobError as an outcome: it is thrown again, its effect is not repeated", async () => {
    const open = aJournal();
    const caught: unknown[] = [];
    const workflow = flow(async (context) => {
      await context
        .broadcast({ kind: "train", round: 1, model: context.initialModel })
        .catch((error: unknown) => caught.push(error));
    });
    const effects = effectsOf([], {
      broadcast: () => Promise.reject(new JobError("ERR_JOB_TOO_FEW_SITES", "none")),
    });

    await runWorkflow(workflow, job, { effects, journal: open() });
    await runWorkflow(workflow, job, { effects: effectsOf([]), journal: open() });

    expect(caught).toEqual([
      expect.objectContaining({ code: "ERR_JOB_TOO_FEW_SITES" }),
      expect.objectContaining({ code: "ERR_JOB_TOO_FEW_SITES" }),
    ]);
  });

  test.each([
    ["another version", flow((context) => context.log("a line"), 2)],
    ["another call", flow((context) => context.sleep(1))],
    ["another input", flow((context) => context.log("another line"))],
  ])("ends a workflow of %s with ERR_WORKFLOW_CHANGED", async (_what, changed) => {
    const open = aJournal();
    const original = flow((context) => context.log("a line"));
    await runWorkflow(original, job, { effects: effectsOf([]), journal: open() });

    const resumed = runWorkflow(changed, job, { effects: effectsOf([]), journal: open() });

    await expect(resumed).rejects.toMatchObject({ code: "ERR_WORKFLOW_CHANGED" });
  });

  test("keeps an outcome of many sites, too large for a metadata value", async () => {
    const open = aJournal();
    const outcomes = Array.from({ length: 4000 }, (_, index) => ({
      site: `site-${index}-${"x".repeat(40)}`,
      outcome: "accepted" as const,
      cause: "" as const,
      exampleCount: 1,
      trainingLoss: 0.1,
      norm: 1,
      digest: "d".repeat(64),
      milliseconds: 1,
    }));
    const effects = effectsOf([], { aggregate: () => Promise.resolve({ outcomes, endedAtMs: 1 }) });
    const counts: number[] = [];
    const workflow = flow(async (context) => {
      const order: TaskOrder = { kind: "train", round: 1, model: context.initialModel };
      counts.push((await context.aggregate(await context.broadcast(order))).outcomes.length);
    });

    await runWorkflow(workflow, job, { effects, journal: open() });
    await runWorkflow(workflow, job, { effects: effectsOf([]), journal: open() });

    expect(counts).toEqual([4000, 4000]);
  });

  test("a round without enough contributions is repeated after growing pauses, then given up", async () => {
    const done: string[] = [];
    let now = 0;
    const effects = effectsOf(done, {
      now: () => now,
      sleepUntil: (atMs) => {
        done.push(`sleep ${atMs - now}`);
        now = atMs;
        return Promise.resolve();
      },
      aggregate: () => {
        now += 1000;
        return Promise.resolve({ outcomes: [], endedAtMs: now });
      },
    });
    const definition = aBundle({ waitForSitesMs: 10_000 }).definition;

    const run = runWorkflow(fedavg, { ...job, definition }, { effects, journal: aJournal()() });

    await expect(run).rejects.toMatchObject({ code: "ERR_JOB_TOO_FEW_SITES" });
    expect(done.filter((what) => what.startsWith("sleep"))).toEqual([
      "sleep 1000",
      "sleep 2000",
      "sleep 4000",
    ]);
  });
});

test("a registry refuses two workflows of one name", () => {
  expect(() => workflowRegistry([fedavg, fedavg])).toThrow(RangeError);
});
