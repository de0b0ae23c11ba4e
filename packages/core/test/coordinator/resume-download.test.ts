import { expect, test } from "vitest";
import { type Bytes, toHex } from "../../src/bytes/index.ts";
import {
  blobRequest,
  type HeldBlob,
  jobAccept,
  jobGraph,
  jobReady,
  siteReady,
  type Task,
  task,
} from "../../src/message/index.ts";
import { connectSession, on, resume, type Session } from "../../src/session/index.ts";
import { TestFederation } from "./a-federation.ts";
import { CHUNKS, resumingSite, submitChunked } from "./resuming-site.ts";

const ONE_ROUND = { rounds: 1, minimumSites: 1 } as const;
const ALL = Array.from({ length: CHUNKS }, (_, index) => index);

test.each([0, 1, 3, 5])("a drop after %i of 6 chunks of a model brings exactly the others", async (came) => {
  const federation = await TestFederation.start();
  const site = resumingSite(federation, "site-1", 0.5);
  site.line.blobLimit = came;
  const jobId = await submitChunked(federation, ONE_ROUND);
  await federation.clock.settle();
  expect(site.blobChunks).toEqual([ALL.slice(0, came)]);
  const before = (await federation.view(jobId)).sites[0]?.bytesDown ?? 0;

  await site.drop();
  const view = await federation.untilEnd(jobId);

  // Behind them the version that the round made, which the last task measures.
  expect(site.blobChunks).toEqual([ALL.slice(0, came), [...ALL.slice(came), ...ALL]]);
  expect(view.state).toBe("finished");
  expect(site.trainings()).toBe(1);
  // The graph goes with the offer once and is kept; the figure that people see is what went out.
  const after = view.sites[0]?.bytesDown ?? 0;
  expect(after - before).toBe((CHUNKS - came + CHUNKS) * (65_536 + 16));
  await federation.stop();
});

test("several drops in a row bring each chunk of a model once", async () => {
  const federation = await TestFederation.start();
  const site = resumingSite(federation, "site-1", 0.5);
  site.line.blobLimit = 2;
  const jobId = await submitChunked(federation, ONE_ROUND);
  await federation.clock.settle();

  for (const limit of [1, 0, 2]) {
    await site.drop();
    site.line.blobLimit = limit;
    await federation.clock.advance(4000);
  }
  await site.drop();
  const view = await federation.untilEnd(jobId);

  expect(site.blobChunks).toEqual([[0, 1], [2], [], [3, 4], [5, ...ALL]]);
  expect(view.state).toBe("finished");
  await federation.stop();
});

test("after a restart of the server a download goes on, for the blob lies in the storage", async () => {
  const federation = await TestFederation.start();
  const site = resumingSite(federation, "site-1", 0.5);
  site.line.blobLimit = 4;
  const jobId = await submitChunked(federation, ONE_ROUND);
  await federation.clock.settle();

  site.line.blobLimit = Number.POSITIVE_INFINITY;
  await federation.clock.runUntil(federation.restart());
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("finished");
  expect(site.blobChunks.filter(({ length }) => length > 0)).toEqual([
    ALL.slice(0, 4),
    [...ALL.slice(4), ...ALL],
  ]);
  await federation.stop();
});

/** A site by hand: it says of itself what it likes, and counts the chunks of the model. */
interface RawSession {
  readonly session: Session;
  readonly tasks: Task[];
  readonly chunks: number[];
}

async function openSession(federation: TestFederation): Promise<RawSession> {
  const { clock, crypto, project, root } = federation;
  const connection = await federation.connector("site-1").connect(new AbortController().signal);
  const identity = federation.identityOf("site-1");
  const options = { identity, project: project.project, root, serverName: "hub" };
  const session = await clock.runUntil(connectSession(connection, options, { clock, crypto }));
  const raw: RawSession = { session, tasks: [], chunks: [] };
  session.receive({
    onObject: async ({ objectType, objectId }) => {
      if (objectType === 1) await session.send(jobAccept, { jobId: toHex(objectId), terms: "" });
    },
    onBlobChunk: ({ index, ciphertext }) => {
      if (ciphertext.byteLength > 65_536) raw.chunks.push(index);
    },
    routes: [
      on(jobGraph, async ({ jobId }) => {
        await session.send(jobReady, { jobId, device: "cpu", trainingExamples: 10, heldOutExamples: 0 });
      }),
      on(task, (body) => void raw.tasks.push(body)),
    ],
  });
  return raw;
}

const READY = { runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] } as const;

/** A site that was given a task comes back, and names blobs. */
async function comeBack(
  federation: TestFederation,
  blobsOf: (root: Bytes) => readonly HeldBlob[],
  isResumed = true,
): Promise<RawSession & { readonly root: Bytes }> {
  const first = await openSession(federation);
  await first.session.send(resume, { acknowledged: [] });
  await first.session.send(siteReady, READY);
  await submitChunked(federation, { ...ONE_ROUND, roundTimeoutMs: 60_000 });
  await federation.clock.settle();
  expect(first.chunks).toEqual(ALL);
  const root = first.tasks[0]?.model.root;
  if (root === undefined) throw new RangeError("no task came");

  const raw = await openSession(federation);
  await raw.session.send(resume, {
    ...(isResumed ? { session: first.session.id } : {}),
    acknowledged: [],
    blobs: blobsOf(root),
  });
  await raw.session.send(siteReady, READY);
  await federation.clock.settle();
  return { ...raw, root };
}

test("a site that names chunks it has not harms itself only: who asks for the blob gets the whole", async () => {
  const federation = await TestFederation.start();
  const raw = await comeBack(federation, (root) => [{ root, received: Uint8Array.of(0b111111) }]);
  expect(raw.tasks).toHaveLength(1);
  expect(raw.chunks).toEqual([]);

  const jobId = raw.tasks[0]?.jobId ?? "";
  await raw.session.send(blobRequest, { jobId, root: raw.root }, { scope: jobId });
  await federation.clock.settle();

  expect(raw.chunks).toEqual(ALL);
  await federation.stop();
});

test.each([
  ["a bit beyond the blob", (root: Bytes) => [{ root, received: Uint8Array.of(0b1000111) }]],
  ["another length", (root: Bytes) => [{ root, received: Uint8Array.of(0b111, 0) }]],
  ["no bits at all", (root: Bytes) => [{ root, received: new Uint8Array(0) }]],
  ["another blob", () => [{ root: new Uint8Array(32).fill(1), received: Uint8Array.of(0b111) }]],
] as const)("a bitmap of %s counts for nothing: the blob is sent whole", async (_name, blobsOf) => {
  const federation = await TestFederation.start();

  const raw = await comeBack(federation, blobsOf);

  expect(raw.chunks).toEqual(ALL);
  expect(raw.session.signal.aborted).toBe(false);
  await federation.stop();
});

test("what a site has of blobs counts in a resumed session only", async () => {
  const federation = await TestFederation.start();

  const raw = await comeBack(federation, (root) => [{ root, received: Uint8Array.of(0b111) }], false);

  expect(raw.chunks).toEqual(ALL);
  await federation.stop();
});
