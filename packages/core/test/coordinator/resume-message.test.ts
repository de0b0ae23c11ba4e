import { expect, test } from "vitest";
import { type Bytes, toHex } from "../../src/bytes/index.ts";
import { ResumeRecords } from "../../src/coordinator/resume-records.ts";
import {
  type ContributionBody,
  contribution,
  contributionReceived,
  contributionRefused,
  jobAccept,
  jobGraph,
  jobReady,
  siteReady,
  type Task,
  task,
} from "../../src/message/index.ts";
import {
  connectSession,
  on,
  type Refusal,
  type ResumedBody,
  resume,
  resumed,
  type Session,
} from "../../src/session/index.ts";
import { bytesSource, makeManifest } from "../../src/stream/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite, UPDATE_LAYOUT, updateOf } from "./raw-site.ts";

const MESSAGE_ID = new Uint8Array(16).fill(7);

/** A site by hand, and what it was told in one session. */
interface RawSession {
  readonly session: Session;
  readonly tasks: Task[];
  readonly answers: string[];
  readonly refusals: Refusal[];
  readonly resumed: ResumedBody[];
}

async function openSession(federation: TestFederation): Promise<RawSession> {
  const { clock, crypto } = federation;
  const connection = await federation.connector("site-1").connect(new AbortController().signal);
  const options = {
    identity: federation.identityOf("site-1"),
    project: federation.project.project,
    root: federation.root,
    serverName: "hub",
  };
  const session = await clock.runUntil(connectSession(connection, options, { clock, crypto }));
  const raw: RawSession = { session, tasks: [], answers: [], refusals: [], resumed: [] };
  session.receive({
    onObject: async ({ objectType, objectId }) => {
      if (objectType === 1) await session.send(jobAccept, { jobId: toHex(objectId), terms: "" });
    },
    onBlobChunk: () => undefined,
    onRefused: (refusal) => void raw.refusals.push(refusal),
    routes: [
      on(resumed, (body) => void raw.resumed.push(body)),
      on(jobGraph, async ({ jobId }) => {
        await session.send(jobReady, { jobId, device: "cpu", trainingExamples: 10, heldOutExamples: 0 });
      }),
      on(task, (body) => void raw.tasks.push(body)),
      on(contributionReceived, () => void raw.answers.push("received")),
      on(contributionRefused, ({ code }) => void raw.answers.push(code)),
    ],
  });
  return raw;
}

const READY = { runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] } as const;

/** A site that has a task; another site keeps the round open. */
async function withTask(
  federation: TestFederation,
): Promise<{ raw: RawSession; given: Task; other: RawSite; jobId: string }> {
  const other = await RawSite.connect(federation, "site-2");
  const raw = await openSession(federation);
  await raw.session.send(siteReady, READY);
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: 2, minimumSites: 1, roundTimeoutMs: 60_000 });
  await federation.clock.settle();
  const [given] = raw.tasks;
  if (given === undefined) throw new RangeError("no task came");
  return { raw, given, other, jobId };
}

/** Comes back and names `last`. */
async function comeBack(
  federation: TestFederation,
  { last, acknowledged = [] }: { last?: Bytes; acknowledged?: readonly Bytes[] },
): Promise<RawSession> {
  const raw = await openSession(federation);
  await raw.session.send(resume, { ...(last === undefined ? {} : { session: last }), acknowledged });
  await raw.session.send(siteReady, READY);
  await federation.clock.settle();
  return raw;
}

async function anUpdate(federation: TestFederation, given: Task, value: number): Promise<ContributionBody> {
  const { jobId, taskId, version: baseVersion } = given;
  const bytes = updateOf(value);
  const sizes = { totalBytes: bytes.byteLength, chunkBytes: 65_536, streamId: new Uint8Array(16).fill(3) };
  const manifest = await makeManifest(bytesSource(bytes), sizes, federation);
  const facts = { jobId, taskId, baseVersion, exampleCount: 10, trainingLoss: 1, steps: 1 };
  return { ...facts, norm: 1e6, manifest, tensors: UPDATE_LAYOUT.tensors };
}

/** Sends an update under {@link MESSAGE_ID}; its bytes only when they are given. */
async function send(
  federation: TestFederation,
  { session }: RawSession,
  body: ContributionBody,
  bytes?: Bytes,
) {
  if (bytes !== undefined) {
    session.sendStream(body.manifest, bytesSource(bytes), session.signal).catch(() => undefined);
  }
  await session.send(contribution, body, { messageId: MESSAGE_ID });
  await federation.clock.settle();
}

test("RESUME is refused once the session has begun, and a second time", async () => {
  const federation = await TestFederation.start();
  const late = await openSession(federation);
  await late.session.send(siteReady, READY);
  await late.session.send(resume, { acknowledged: [] });
  await federation.clock.settle();
  expect(late.refusals.map(({ code }) => code)).toEqual(["ERR_RESUME_REFUSED"]);
  expect(late.resumed).toEqual([]);

  const twice = await comeBack(federation, { last: late.session.id });
  await twice.session.send(resume, { acknowledged: [] });
  await federation.clock.settle();

  expect(twice.refusals.map(({ code }) => code)).toEqual(["ERR_RESUME_REFUSED"]);
  expect(twice.resumed).toHaveLength(1);
  expect(twice.session.signal.aborted).toBe(false);
  await federation.stop();
});

test("RESUME of a session that is not this participant's is ignored: the session begins afresh", async () => {
  const federation = await TestFederation.start();
  const { raw } = await withTask(federation);

  const foreign = await comeBack(federation, { last: new Uint8Array(32).fill(1) });
  const none = await comeBack(federation, {});
  const own = await comeBack(federation, { last: none.session.id });

  expect(raw.session.signal.aborted).toBe(true);
  expect([foreign, none, own].map(({ resumed: [answer] }) => answer?.isResumed)).toEqual([
    false,
    false,
    true,
  ]);
  await federation.stop();
});

test("a task that was acknowledged is not sent again in a resumed session, any other is", async () => {
  const federation = await TestFederation.start();
  const { raw, given } = await withTask(federation);
  const taskId = Uint8Array.from(given.taskId.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16));

  const knows = await comeBack(federation, { last: raw.session.id, acknowledged: [taskId] });
  const forgets = await comeBack(federation, { last: knows.session.id });
  const fresh = await comeBack(federation, { acknowledged: [taskId] });

  expect(knows.tasks).toEqual([]);
  expect(forgets.tasks).toEqual([given]);
  expect(fresh.tasks).toEqual([given]);
  await federation.stop();
});

test("an update that was added is answered RECEIVED when its message comes again, and counts once", async () => {
  const federation = await TestFederation.start();
  const { raw, given, other, jobId } = await withTask(federation);
  const body = await anUpdate(federation, given, 1);
  await send(federation, raw, body, updateOf(1));
  expect(raw.answers).toEqual(["received"]);

  const again = await comeBack(federation, { last: raw.session.id });
  await send(federation, again, body);

  expect(again.resumed[0]?.acknowledged.map(toHex)).toEqual([toHex(MESSAGE_ID)]);
  expect(again.answers).toEqual(["received"]);
  await other.contribute(updateOf(1));
  expect((await federation.view(jobId)).history[0]?.contributions.map(({ site }) => site)).toEqual([
    "site-1",
    "site-2",
  ]);
  await federation.stop();
});

test.for(["the task waits", "the task is over", "another process runs"] as const)(
  "a refusal is told again by its one cause while %s",
  async (when) => {
    const federation = await TestFederation.start();
    const { raw, given, other, jobId } = await withTask(federation);
    const body = { ...(await anUpdate(federation, given, 1)), exampleCount: 0 };
    await send(federation, raw, body);
    if (when === "the task is over") await other.contribute(updateOf(1));
    if (when === "another process runs") await federation.clock.runUntil(federation.crash());

    const again = await comeBack(federation, { last: raw.session.id });
    await send(federation, again, body, updateOf(1));

    expect([raw.answers, again.answers]).toEqual([
      ["ERR_CONTRIBUTION_EXAMPLES"],
      ["ERR_CONTRIBUTION_EXAMPLES"],
    ]);
    const [first] = (await federation.view(jobId)).history;
    expect(first?.contributions[0]).toMatchObject({ site: "site-1", cause: "ERR_CONTRIBUTION_EXAMPLES" });
    await federation.stop();
  },
);

test("another payload under the id of a message that was answered closes the session as REPLAYED", async () => {
  const federation = await TestFederation.start();
  const { raw, given } = await withTask(federation);
  const body = await anUpdate(federation, given, 1);
  await send(federation, raw, { ...body, exampleCount: 0 });

  const again = await comeBack(federation, { last: raw.session.id });
  await send(federation, again, { ...body, exampleCount: 5 });

  expect(await federation.clock.runUntil(again.session.ended)).toMatchObject({
    code: "ERR_ENVELOPE_REPLAYED",
  });
  expect(again.answers).toEqual([]);
  await federation.stop();
});

test("another payload under the id of an upload under way closes the session, and the upload waits on", async () => {
  const federation = await TestFederation.start();
  const { raw, given } = await withTask(federation);
  const body = await anUpdate(federation, given, 1);
  await send(federation, raw, body); // announced, no chunk yet

  const thief = await comeBack(federation, { last: raw.session.id });
  await send(federation, thief, { ...body, exampleCount: 9 });
  expect(await federation.clock.runUntil(thief.session.ended)).toMatchObject({
    code: "ERR_ENVELOPE_REPLAYED",
  });
  const honest = await comeBack(federation, { last: thief.session.id });
  await send(federation, honest, body, updateOf(1));

  expect(honest.answers).toEqual(["received"]);
  await federation.stop();
});

test("a session whose participant came back at another process is told so when it would write", async () => {
  const federation = await TestFederation.start();
  const { raw, given } = await withTask(federation);
  const elsewhere = new ResumeRecords(federation);
  const urn = `urn:photinus:${federation.project.project}:site:site-1`;
  const newer = await elsewhere.open({ urn, session: new Uint8Array(32).fill(5), last: raw.session.id });
  expect(newer.isResumed).toBe(true);

  await send(federation, raw, await anUpdate(federation, given, 1), updateOf(1));

  expect(await federation.clock.runUntil(raw.session.ended)).toMatchObject({ code: "ERR_SUPERSEDED" });
  expect(raw.answers).toEqual([]);
  await newer.record.dropParts([]); // the newer one writes as before
  await federation.stop();
});
