import { type Bytes, toHex } from "@photinus/core/bytes";
import {
  type ContributionBody,
  contribution,
  contributionCommitted,
  contributionReceived,
  contributionRefused,
  jobAccept,
  jobEnded,
  jobGraph,
  jobReady,
  siteReady,
  type Task,
  task,
} from "@photinus/core/message";
import type { Identity } from "@photinus/core/pki";
import { connectSession, on, type Refusal, type Session } from "@photinus/core/session";
import { bytesSource, makeManifest } from "@photinus/core/stream";
import { onTestFinished } from "vitest";
import { clock, crypto, type Ground } from "./a-ground.ts";
import { UPDATE_LAYOUT } from "./linear-job.ts";
import { Mailbox } from "./mailbox.ts";

/** What a site was told of one of its contributions. */
export interface Answer {
  readonly kind: "received" | "committed" | "refused";
  readonly code: string;
  readonly taskId: string;
}

/** A site with a good certificate whose every message the test decides. */
export class HostileSite {
  readonly session: Session;
  readonly tasks = new Mailbox<Task>();
  readonly answers = new Mailbox<Answer>();
  /** ERROR frames in reply to messages. */
  readonly refusals = new Mailbox<Refusal>();
  readonly ended: string[] = [];

  private constructor(session: Session) {
    this.session = session;
  }

  /** Connects, takes part in every job it is offered and says that it is ready. */
  static async connect(
    ground: Ground,
    identity: Identity = ground.siteIdentity("mallory"),
  ): Promise<HostileSite> {
    const connection = await ground.connector.connect(new AbortController().signal);
    const session = await connectSession(connection, { ...ground.common, identity }, { clock, crypto });
    onTestFinished(() => session.close("ERR_GOING_AWAY"));
    const site = new HostileSite(session);
    site.#receive();
    const body = { runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] } as const;
    await session.send(siteReady, body);
    return site;
  }

  #receive(): void {
    const { session } = this;
    const answer = (kind: Answer["kind"]) => (body: { taskId: string; code?: string }) =>
      this.answers.put({ kind, code: body.code ?? "", taskId: body.taskId });
    session.receive({
      onObject: async ({ objectType, objectId }) => {
        if (objectType === 1) await session.send(jobAccept, { jobId: toHex(objectId), terms: "" });
      },
      onBlobChunk: () => undefined,
      onRefused: (refusal) => this.refusals.put(refusal),
      routes: [
        on(jobGraph, async ({ jobId }) => {
          await session.send(jobReady, { jobId, device: "cpu", trainingExamples: 10, heldOutExamples: 0 });
        }),
        on(task, (body) => this.tasks.put(body)),
        on(contributionReceived, answer("received")),
        on(contributionCommitted, answer("committed")),
        on(contributionRefused, answer("refused")),
        on(jobEnded, ({ reason }) => {
          this.ended.push(reason);
        }),
      ],
    });
  }

  /** Announces and streams an update for a task, with `changes` to what an honest site would say. */
  async contribute(
    to: Task,
    bytes: Bytes,
    changes: Partial<ContributionBody> = {},
  ): Promise<ContributionBody> {
    const body = { ...(await announcementOf(to, bytes)), ...changes };
    this.session.sendStream(body.manifest, bytesSource(bytes), this.session.signal).catch(() => undefined); // a refused update gets no credit
    await this.session.send(contribution, body);
    return body;
  }
}

/** What an honest site would say of an update. */
export async function announcementOf(
  { jobId, taskId, version: baseVersion }: Task,
  bytes: Bytes,
): Promise<ContributionBody> {
  const sizes = { totalBytes: bytes.byteLength, chunkBytes: 65_536 };
  const manifest = await makeManifest(bytesSource(bytes), sizes, { crypto, clock });
  const facts = { jobId, taskId, baseVersion, exampleCount: 10, trainingLoss: 1, steps: 1 };
  return { ...facts, norm: 1e6, manifest, tensors: UPDATE_LAYOUT.tensors };
}
