import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { connect, type Federation, type JobResult } from "../../src/console/index.ts";
import { type HeldBlob, type ResultModel, resultModel, resultRequest } from "../../src/message/index.ts";
import type { Connector } from "../../src/platform/index.ts";
import { connectSession, on } from "../../src/session/index.ts";
import { readBlobChunk } from "../../src/stream/index.ts";
import { FRAME_KIND, readFrame } from "../../src/wire/index.ts";
import { TestFederation } from "./a-federation.ts";
import { CHUNKS, type LossyLine, lossyLine, resumingSite, submitChunked } from "./resuming-site.ts";

const LEAD = "lead@example.org";
const ALL = Array.from({ length: CHUNKS }, (_, index) => index);

/** A job that waits for its sites, and its submitter over a line that breaks where the test says. */
async function aWaitingJob(around = (connector: Connector): Connector => connector): Promise<{
  readonly federation: TestFederation;
  readonly jobId: string;
  readonly user: Federation;
  readonly line: LossyLine;
}> {
  const federation = await TestFederation.start();
  const jobId = await submitChunked(federation, { rounds: 1, minimumSites: 1 });
  const line = lossyLine(federation, LEAD);
  const { clock, crypto, project, root } = federation;
  const kit = {
    identity: federation.identityOf(LEAD),
    root: { der: root },
    configuration: { project: project.project, server: { name: "hub" } },
  };
  const transport = { connector: around(line.connector), clock, crypto };
  const user = await clock.runUntil(connect({ kit, transport }));
  return { federation, jobId, user, line };
}

const weightsOf = ({ model }: JobResult): Set<number> => new Set(model.get("w")?.f32);

test.each([0, 1, 3, 5, 6])(
  "a drop after %i of 6 chunks of a result brings exactly the others",
  async (came) => {
    const { federation, jobId, user, line } = await aWaitingJob();
    line.limits.blobLimit = came;
    const downloading = user.job(jobId).result();
    if (came < CHUNKS) {
      await federation.clock.settle();
      expect(line.blobChunks).toEqual([ALL.slice(0, came)]);
      await line.drop();
    }

    const result = await federation.clock.runUntil(downloading);

    expect([result.version, weightsOf(result)]).toEqual([0, new Set([0])]);
    expect(line.blobChunks.flat()).toEqual(ALL);
    await user.close();
    await federation.stop();
  },
);

test("several drops in a row bring each chunk of a result once", async () => {
  const { federation, jobId, user, line } = await aWaitingJob();
  line.limits.blobLimit = 2;
  const downloading = user.job(jobId).result();
  await federation.clock.settle();
  for (const limit of [0, 3]) {
    await line.drop();
    line.limits.blobLimit = limit;
    await federation.clock.advance(10_000);
  }
  await line.drop();
  await federation.clock.runUntil(downloading);

  expect(line.blobChunks).toEqual([[0, 1], [], [2, 3, 4], [5]]);
  await user.close();
  await federation.stop();
});

test("when a newer version was made meanwhile, that one comes, and whole", async () => {
  const { federation, jobId, user, line } = await aWaitingJob();
  line.limits.blobLimit = 2;
  const downloading = user.job(jobId).result();
  await federation.clock.settle();
  line.limits.isReachable = false;
  await line.drop();
  resumingSite(federation, "site-1", 0.5);
  await federation.untilEnd(jobId);
  line.limits.isReachable = true;

  const result = await federation.clock.runUntil(downloading);

  expect([result.version, weightsOf(result)]).toEqual([1, new Set([0.5])]);
  expect(line.blobChunks.filter(({ length }) => length > 0)).toEqual([[0, 1], ALL]);
  await user.close();
  await federation.stop();
});

/** Whoever stands between: BLOB frames travel beside the session, so that one that is missing does not end it. */
const altered =
  (alter: (frame: Bytes, index: number) => Bytes | undefined) =>
  (inner: Connector): Connector => ({
    connect: async (signal) => {
      const connection = await inner.connect(signal);
      const frames = async function* (): AsyncGenerator<Bytes, void, undefined> {
        for await (const frame of connection.frames) {
          const { kind } = readFrame(frame);
          const passed =
            kind === FRAME_KIND.blob ? alter(frame, readBlobChunk(readFrame(frame)).index) : frame;
          if (passed !== undefined) yield passed;
        }
      };
      return { ...connection, frames: frames() };
    },
  });

test.each(["is lost", "is altered"])(
  "a chunk of a result that %s on the way is asked for again, alone",
  async (how) => {
    let isDone = false;
    const alter = (frame: Bytes, index: number): Bytes | undefined => {
      if (index !== 3 || isDone) return frame;
      isDone = true;
      if (how === "is lost") return undefined;
      const copy = Uint8Array.from(frame);
      copy[copy.byteLength - 1] = (copy[copy.byteLength - 1] ?? 0) ^ 1;
      return copy;
    };
    const { federation, jobId, user, line } = await aWaitingJob(altered(alter));

    const result = await federation.clock.runUntil(user.job(jobId).result(), 60_000);

    expect(weightsOf(result)).toEqual(new Set([0]));
    expect(line.blobChunks).toEqual([[...ALL, 3]]);
    await user.close();
    await federation.stop();
  },
);

test.each([
  ["what it names", (root: Bytes) => ({ root, received: Uint8Array.of(0b000111) }), [3, 4, 5]],
  ["all of it", (root: Bytes) => ({ root, received: Uint8Array.of(0b111111) }), []],
  ["a bit beyond the blob", (root: Bytes) => ({ root, received: Uint8Array.of(0b1000111) }), ALL],
  ["another length", (root: Bytes) => ({ root, received: Uint8Array.of(0b111, 0) }), ALL],
  ["another blob", () => ({ root: new Uint8Array(32), received: Uint8Array.of(0b111) }), ALL],
] as const)(
  "a user who says that it has %s is believed as far as that is of this blob",
  async (_name, heldOf, sent) => {
    const { federation, jobId, user } = await aWaitingJob();
    await federation.clock.runUntil(user.close());
    const { clock, crypto, project, root } = federation;
    const identity = federation.identityOf(LEAD);
    const connection = await federation.connector(LEAD).connect(new AbortController().signal);
    const options = { identity, project: project.project, root, serverName: "hub" };
    const session = await clock.runUntil(connectSession(connection, options, { clock, crypto }));
    const told: ResultModel[] = [];
    const chunks: number[] = [];
    session.receive({
      onObject: () => undefined,
      onBlobChunk: ({ index }) => void chunks.push(index),
      routes: [on(resultModel, (body) => void told.push(body))],
    });
    await session.send(resultRequest, { jobId });
    await clock.settle();
    const held: HeldBlob = heldOf(told[0]?.model.root ?? new Uint8Array(32));
    chunks.length = 0;

    await session.send(resultRequest, { jobId, held });
    await clock.settle();

    expect(chunks).toEqual(sent);
    expect(session.signal.aborted).toBe(false);
    await federation.stop();
  },
);
