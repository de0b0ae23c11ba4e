import { describe, expect, test } from "vitest";
import { WireError } from "../../src/errors/index.ts";
import { CheckpointStore } from "../../src/job/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { memoryBlobs, memoryMetadata } from "../../src/testing/index.ts";
import {
  builtInWorkflows,
  type Dispatch,
  openJournal,
  runWorkflow,
  type TaskOrder,
  type WorkflowEffects,
  type WorkflowJob,
} from "../../src/workflow/index.ts";
import { aBundle } from "../coordinator/a-federation.ts";

const SITES = ["site-1", "site-2", "site-3"];
const crypto = webCrypto();

/** A server whose versions are numbers, which tells what it did, and dies before one of its deeds. */
class TinyServer {
  readonly done: string[] = [];
  /** Deeds until it dies. */
  left = Number.POSITIVE_INFINITY;
  #tasks = 0;

  effects(): WorkflowEffects {
    return {
      broadcast: (order) => this.#do(`broadcast ${told(order)}`, () => this.#dispatch(order, SITES)),
      send: (order, sites) =>
        this.#do(`send ${told(order)} to ${sites.join()}`, () => this.#dispatch(order, sites)),
      readySites: () => this.#do("ready sites", () => SITES),
      dispatched: () => undefined,
      aggregate: ({ order, sites }) => this.#do(`aggregate ${told(order)}`, () => collected(order, sites)),
      checkpoint: ({ order }) => this.#do(`checkpoint ${order.round}`, () => version(order.round)),
      discard: (model) => this.#do(`discard ${model.version}`, () => undefined),
      now: () => 0,
      sleepUntil: () => Promise.resolve(),
      random: (length) => "ab".repeat(length),
      log: () => undefined,
    };
  }

  #do<T>(what: string, act: () => T): Promise<T> {
    if (this.left === 0) return Promise.reject(new WireError("ERR_GOING_AWAY", "the process dies"));
    this.left -= 1;
    this.done.push(what);
    return Promise.resolve(act());
  }

  #dispatch(order: TaskOrder, sites: readonly string[]): Dispatch {
    this.#tasks += 1;
    return { taskId: this.#tasks.toString().padStart(32, "0"), order, sites, startedAtMs: 0 };
  }
}

const told = ({ kind, round, model }: TaskOrder): string => `${kind} ${round} of ${model.version}`;
const version = (round: number) => ({ version: round, checkpoint: round.toString().padStart(64, "0") });

function collected(order: TaskOrder, sites: readonly string[]) {
  const evaluation = { loss: 1, accuracy: 0.5, exampleCount: 10 };
  const outcomes = sites.map((site) => ({
    ...({ site, outcome: "accepted", cause: "", digest: "" } as const),
    ...{ exampleCount: 1, trainingLoss: 0, norm: 0, milliseconds: 1, evaluation },
  }));
  return { outcomes, endedAtMs: 1, ...(order.kind === "train" ? { model: version(order.round) } : {}) };
}

function aJournal() {
  const metadata = memoryMetadata();
  const checkpoints = new CheckpointStore(new Uint8Array(32), {
    crypto,
    metadata,
    blobs: memoryBlobs(crypto),
  });
  return openJournal("0".repeat(32), { metadata, checkpoints });
}

function aJob(name: string): WorkflowJob {
  const rounds = name === "federated-evaluation" ? 1 : 3;
  return {
    jobId: "0".repeat(32),
    definition: aBundle({ rounds }).definition,
    initialModel: version(0),
  };
}

describe.each([...builtInWorkflows()])("the workflow %s", (name, workflow) => {
  test("does everything once, wherever its server dies", async () => {
    const whole = new TinyServer();
    await runWorkflow(workflow, aJob(name), { effects: whole.effects(), journal: aJournal() });
    expect(whole.done.length).toBeGreaterThan(1);

    for (let deeds = 0; deeds < whole.done.length; deeds++) {
      const server = new TinyServer();
      const journal = aJournal();
      server.left = deeds;
      const dying = runWorkflow(workflow, aJob(name), { effects: server.effects(), journal });
      await expect(dying).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });

      server.left = Number.POSITIVE_INFINITY;
      await runWorkflow(workflow, aJob(name), { effects: server.effects(), journal });

      expect(server.done).toEqual(whole.done);
    }
  });

  test("is known under its own name, with a version", () => {
    expect(workflow).toMatchObject({ name, version: expect.any(Number) });
  });
});
