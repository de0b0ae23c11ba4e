import { type Bytes, toHex } from "../../src/bytes/index.ts";
import {
  type ContributionBody,
  contribution,
  contributionCommitted,
  contributionReceived,
  contributionRefused,
  type HeldUpdate,
  jobAccept,
  jobEnded,
  jobGraph,
  jobReady,
  siteReady,
  type Task,
  task,
  taskProgress,
} from "../../src/message/index.ts";
import { connectSession, on, type Session } from "../../src/session/index.ts";
import { bytesSource, makeManifest } from "../../src/stream/index.ts";
import { layoutOf, type TensorLayout } from "../../src/tensor/index.ts";
import type { TestFederation } from "./a-federation.ts";

/** The layout of an update of the linear model. */
export const UPDATE_LAYOUT: TensorLayout = layoutOf([
  { name: "weight", dtype: "f32", shape: [4] },
  { name: "bias", dtype: "f32", shape: [1] },
]);

/** Bytes of an update whose floats are all `value`, padding zero. */
export function updateOf(value: number): Bytes {
  const floats = new Float32Array(UPDATE_LAYOUT.byteLength / 4);
  floats.fill(value, 0, 5);
  return new Uint8Array(floats.buffer);
}

/** What a {@link RawSite} was told. */
export type Answer = {
  readonly kind: "received" | "committed" | "refused";
  readonly code: string;
  readonly taskId: string;
};

/** A site whose every message the test decides: it speaks the protocol and does as told. */
export class RawSite {
  readonly session: Session;
  readonly #federation: TestFederation;
  readonly tasks: Task[] = [];
  readonly answers: Answer[] = [];
  readonly ended: string[] = [];

  private constructor(session: Session, federation: TestFederation) {
    this.session = session;
    this.#federation = federation;
  }

  /** Connects, takes part in every job it is offered and says that it is ready. */
  static async connect(
    federation: TestFederation,
    name: string,
    dataNames: readonly string[] = ["line"],
    heldUpdates: readonly HeldUpdate[] = [],
  ): Promise<RawSite> {
    const { clock, crypto } = federation;
    const connection = await federation.connector(name).connect(new AbortController().signal);
    const options = {
      identity: federation.identityOf(name),
      project: federation.project.project,
      root: federation.root,
      serverName: "hub",
    };
    const session = await clock.runUntil(connectSession(connection, options, { clock, crypto }));
    const site = new RawSite(session, federation);
    site.#receive();
    await session.send(siteReady, { runtime: "node", dataNames, preparedJobs: [], heldUpdates });
    await clock.settle();
    return site;
  }

  #receive(): void {
    const { session } = this;
    const answer = (kind: Answer["kind"]) => (body: { taskId: string; code?: string }) => {
      this.answers.push({ kind, code: body.code ?? "", taskId: body.taskId });
    };
    session.receive({
      onObject: async ({ objectType, objectId }) => {
        if (objectType === 1) await session.send(jobAccept, { jobId: toHex(objectId), terms: "" });
      },
      onBlobChunk: () => undefined,
      routes: [
        on(jobGraph, ({ jobId }) => {
          const facts = { device: "cpu", trainingExamples: 10, heldOutExamples: 0 };
          return session.send(jobReady, { jobId, ...facts }).then(() => undefined);
        }),
        on(task, (body) => {
          this.tasks.push(body);
        }),
        on(contributionReceived, answer("received")),
        on(contributionCommitted, answer("committed")),
        on(contributionRefused, answer("refused")),
        on(jobEnded, ({ reason }) => {
          this.ended.push(reason);
        }),
      ],
    });
  }

  /** The latest task. */
  get task(): Task {
    const last = this.tasks.at(-1);
    if (last === undefined) throw new RangeError("no task came");
    return last;
  }

  /** Says that it is at work. */
  async progress(): Promise<void> {
    const { jobId, taskId } = this.task;
    await this.session.send(taskProgress, { jobId, taskId, phase: "training", progress: 0.5 });
  }

  /**
   * Answers the latest task with `bytes`, and with `changes` to what an honest site would say.
   * @param sent other bytes than the ones that were signed
   */
  async contribute(
    bytes: Bytes,
    changes: Partial<ContributionBody> = {},
    sent: Bytes = bytes,
  ): Promise<void> {
    const body = await this.#body(bytes, changes);
    const streaming = this.session.sendStream(body.manifest, bytesSource(sent), this.session.signal);
    streaming.catch(() => undefined); // a refused update gets no credit
    await this.session.send(contribution, body);
    await this.#federation.clock.settle();
  }

  /** Announces an update and sends none of it. */
  async announce(bytes: Bytes): Promise<void> {
    await this.session.send(contribution, await this.#body(bytes, {}));
    await this.#federation.clock.settle();
  }

  async #body(bytes: Bytes, changes: Partial<ContributionBody>): Promise<ContributionBody> {
    const { crypto, clock } = this.#federation;
    const { jobId, taskId, version: baseVersion } = this.task;
    const sizes = { totalBytes: bytes.byteLength, chunkBytes: 65_536 };
    const manifest = await makeManifest(bytesSource(bytes), sizes, { crypto, clock });
    const facts = { jobId, taskId, baseVersion, exampleCount: 10, trainingLoss: 1, steps: 1 };
    return { ...facts, norm: 1e6, manifest, tensors: UPDATE_LAYOUT.tensors, ...changes };
  }
}
