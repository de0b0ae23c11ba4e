import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { connect, type Federation } from "../../src/console/index.ts";
import { type JobBundle, type SignedJob, signJob } from "../../src/job/index.ts";
import { type JobSubmit, jobSubmit, jobSubmitted, requestFailed } from "../../src/message/index.ts";
import type { Connector } from "../../src/platform/index.ts";
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
import { sessionPair } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";
import { aChunkedBundle, CHUNKS, type LossyLine, lossyLine } from "./resuming-site.ts";

const LEAD = "lead@example.org";
const CHUNK = 65_536;
const GRAPH_CHUNKS = 4;
const ALL = GRAPH_CHUNKS + CHUNKS;

const aBundle = (): JobBundle => ({
  ...aChunkedBundle(),
  model: new Uint8Array(GRAPH_CHUNKS * CHUNK).fill(5),
});

/** A lead whose line breaks where the test says. */
async function aLead(
  federation: TestFederation,
  onConnect: (connections: number) => void = () => undefined,
): Promise<{ readonly user: Federation; readonly line: LossyLine }> {
  const line = lossyLine(federation, LEAD);
  let connections = 0;
  const connector: Connector = {
    connect: async (signal) => {
      const connection = await line.connector.connect(signal);
      onConnect(++connections);
      return connection;
    },
  };
  const { clock, crypto, project, root } = federation;
  const kit = {
    identity: federation.identityOf(LEAD),
    root: { der: root },
    configuration: { project: project.project, server: { name: "hub" } },
  };
  const transport = { connector, clock, crypto };
  const user = await clock.runUntil(connect({ kit, transport }));
  return { user, line };
}

/** Blobs that storage holds, of whatever kind. */
const blobs = async (federation: TestFederation): Promise<number> =>
  (await federation.metadata.list("seal/")).length;

async function storedParts(federation: TestFederation): Promise<number> {
  const entries = await federation.metadata.list("resume/");
  return entries
    .map(({ value }) => JSON.parse(new TextDecoder().decode(value)) as { parts: unknown[] })
    .reduce((sum, { parts }) => sum + parts.length, 0);
}

async function submissions(federation: TestFederation): Promise<number> {
  return (await federation.records()).filter(({ event }) => event.reason === "submitted").length;
}

test.each([0, 1, 3, 4, 6, 9])("a drop after %i of 10 chunks sends exactly the others again", async (sent) => {
  const federation = await TestFederation.start();
  const { user, line } = await aLead(federation);
  line.limits.limit = sent;
  const submitting = user.submit(aBundle());
  await federation.clock.settle();
  expect(line.chunks).toEqual([sent]);

  await line.drop();
  const { jobId } = await federation.clock.runUntil(submitting);

  expect(line.chunks).toEqual([sent, ALL - sent]);
  expect((await federation.coordinator.jobs()).map((job) => job.jobId)).toEqual([jobId]);
  expect(await submissions(federation)).toBe(1);
  expect([await storedParts(federation), await blobs(federation)]).toEqual([0, 3]); // object, graph, parameters
  await user.close();
  await federation.stop();
});

test("several drops in a row send each chunk once, and the console goes on over its last session", async () => {
  const federation = await TestFederation.start();
  const { user, line } = await aLead(federation);
  line.limits.limit = 2;
  const submitting = user.submit(aBundle());
  for (const limit of [3, 0, 1]) {
    await line.drop();
    line.limits.limit = limit;
    await federation.clock.advance(10_000);
  }
  await line.drop();
  const job = await federation.clock.runUntil(submitting);

  expect(line.chunks).toEqual([2, 3, 0, 1, 4]);
  await federation.clock.runUntil(job.abort());
  expect(await federation.coordinator.job(job.jobId)).toMatchObject({ state: "aborted" });
  await user.close();
  await federation.stop();
});

test("a console that is closed while it comes back leaves no session behind", async () => {
  const federation = await TestFederation.start();
  const closed: Promise<void>[] = [];
  const { user, line } = await aLead(federation, (connections) => {
    if (connections === 2) closed.push(user.close()); // its handshake is still to come
  });
  line.limits.limit = 2;
  const submitting = user.submit(aBundle());
  const refused = expect(submitting).rejects.toMatchObject({ code: "ERR_CANCELLED" });
  await line.drop();

  await federation.clock.advance(10_000);
  await Promise.all([refused, ...closed]);

  expect(closed).toHaveLength(1);
  expect([...federation.coordinator.sessions()]).toEqual([]);
  await federation.stop();
});

test("an answer that was lost is told again: one job, and no chunk is sent", async () => {
  const federation = await TestFederation.start();
  const { user, line } = await aLead(federation);
  line.limits.deafAfter = ALL;
  const submitting = user.submit(aBundle(), { submitToken: "once" });
  await federation.clock.settle();
  expect(await submissions(federation)).toBe(1);

  await line.drop();
  const { jobId } = await federation.clock.runUntil(submitting);

  expect(line.chunks).toEqual([ALL, 0]);
  expect((await federation.coordinator.jobs()).map((job) => job.jobId)).toEqual([jobId]);
  expect(await submissions(federation)).toBe(1);
  await user.close();
  await federation.stop();
});

test("after an orderly stop the next process goes on with the submission", async () => {
  const federation = await TestFederation.start();
  const { user, line } = await aLead(federation);
  line.limits.limit = 7;
  const submitting = user.submit(aBundle());
  await federation.clock.settle();

  await federation.clock.runUntil(federation.coordinator.stop());
  expect(await storedParts(federation)).toBe(2); // the whole graph, half the parameters
  line.limits.limit = Number.POSITIVE_INFINITY;
  await federation.clock.runUntil(federation.restart());
  const { jobId } = await federation.clock.runUntil(submitting);

  expect(line.chunks.filter((count) => count > 0)).toEqual([7, ALL - 7]);
  expect((await federation.coordinator.jobs()).map((job) => job.jobId)).toEqual([jobId]);
  expect([await storedParts(federation), await blobs(federation)]).toEqual([0, 3]);
  await user.close();
  await federation.stop();
});

test("a submission of which chunks came and then none goes on over another line", async () => {
  const federation = await TestFederation.start();
  const { user, line } = await aLead(federation);
  line.limits.limit = 5;
  const submitting = user.submit(aBundle());
  await federation.clock.advance(14_999);
  expect(line.chunks).toEqual([5]);

  line.limits.limit = Number.POSITIVE_INFINITY;
  await federation.clock.runUntil(submitting);

  expect(line.chunks).toEqual([5, 5]);
  await user.close();
  await federation.stop();
});

test("with one slot the graph gives way to the parameters, and both go on where they were", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const { user, line } = await aLead(federation);
  line.limits.limit = 6;
  const submitting = user.submit(aBundle());
  await federation.clock.settle();

  await line.drop();
  await federation.clock.runUntil(submitting);

  expect(line.chunks).toEqual([6, 4]);
  expect([await storedParts(federation), await blobs(federation)]).toEqual([0, 3]);
  await user.close();
  await federation.stop();
});

test("what nobody comes back for is let go after five minutes", async () => {
  const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
  const { user, line } = await aLead(federation);
  line.limits.limit = 6;
  const submitting = user.submit(aBundle());
  submitting.catch(() => undefined);
  await federation.clock.settle();
  line.limits.isReachable = false;
  await line.drop();
  expect([await storedParts(federation), await blobs(federation)]).toEqual([1, 1]);

  await federation.clock.advance(300_000);

  await expect(submitting).rejects.toThrow("the line is down");
  expect([await storedParts(federation), await blobs(federation)]).toEqual([0, 0]);
  await federation.stop();
});

test("a console that is closed, or whose signal is aborted, does not come back", async () => {
  const federation = await TestFederation.start();
  const { user, line } = await aLead(federation);
  const stop = new AbortController();
  line.limits.limit = 2;
  const given = user.submit(aBundle(), { signal: stop.signal });
  given.catch(() => undefined);
  await line.drop();
  stop.abort(new Error("enough"));
  await expect(federation.clock.runUntil(given)).rejects.toThrow("enough");

  await federation.clock.runUntil(user.close());
  await expect(federation.clock.runUntil(user.submit(aBundle()))).rejects.toThrow();
  await federation.clock.advance(60_000);
  expect(line.chunks.length).toBeLessThanOrEqual(2);
  await federation.stop();
});

test("a refusal is an answer: nothing is sent again", async () => {
  const federation = await TestFederation.start({ coordinator: { maximumModelBytes: CHUNK } });
  const { user, line } = await aLead(federation);

  await expect(federation.clock.runUntil(user.submit(aBundle()))).rejects.toMatchObject({
    code: "ERR_JOB_INVALID",
  });

  expect(line.chunks).toEqual([0]);
  await user.close();
  await federation.stop();
});

/** A user by hand. */
interface RawUser {
  readonly session: Session;
  readonly answers: string[];
  readonly refusals: Refusal[];
  readonly resumed: ResumedBody[];
}

async function rawUser(federation: TestFederation, name: string, last?: Session): Promise<RawUser> {
  const { clock, crypto, project, root } = federation;
  const connection = await federation.connector(name).connect(new AbortController().signal);
  const options = {
    identity: federation.identityOf(name),
    project: project.project,
    root,
    serverName: "hub",
  };
  const session = await clock.runUntil(connectSession(connection, options, { clock, crypto }));
  const raw: RawUser = { session, answers: [], refusals: [], resumed: [] };
  session.receive({
    onRefused: (refusal) => void raw.refusals.push(refusal),
    routes: [
      on(resumed, (body) => void raw.resumed.push(body)),
      on(jobSubmitted, ({ jobId }) => void raw.answers.push(jobId)),
      on(requestFailed, ({ code }) => void raw.answers.push(code)),
    ],
  });
  await session.send(resume, { ...(last === undefined ? {} : { session: last.id }), acknowledged: [] });
  return raw;
}

const MESSAGE_ID = new Uint8Array(16).fill(7);

async function submitOf(federation: TestFederation, job: SignedJob): Promise<JobSubmit> {
  const manifestOf = (content: SignedJob["graph"]) =>
    makeManifest(bytesSource(content), { totalBytes: content.byteLength, chunkBytes: CHUNK }, federation);
  return {
    jobId: job.jobId,
    graph: await manifestOf(job.graph),
    parameters: await manifestOf(job.parameters),
  };
}

async function handIn(
  federation: TestFederation,
  { session }: RawUser,
  { job, body, messageId = MESSAGE_ID }: HandedIn,
): Promise<void> {
  await session.sendObject(job.object, federation.identityOf(LEAD).participant.chain);
  for (const [manifest, content] of [
    [body.graph, job.graph] as const,
    [body.parameters, job.parameters] as const,
  ]) {
    session.sendStream(manifest, bytesSource(content), session.signal).catch(() => undefined); // not asked for
  }
  await session.send(jobSubmit, body, { messageId });
  await federation.clock.settle();
}

interface HandedIn {
  readonly job: SignedJob;
  readonly body: JobSubmit;
  readonly messageId?: Bytes;
}

async function interrupted(federation: TestFederation) {
  const { clock, crypto } = federation;
  const job = await signJob(aBundle(), { identity: federation.identityOf(LEAD), crypto, clock });
  const body = await submitOf(federation, job);
  const first = await rawUser(federation, LEAD);
  await first.session.sendObject(job.object, federation.identityOf(LEAD).participant.chain);
  const half = { read: bytesSource(job.graph).read };
  first.session.sendStream(body.graph, half, first.session.signal).catch(() => undefined);
  await first.session.send(jobSubmit, body, { messageId: MESSAGE_ID });
  await clock.settle(); // the graph came, of the parameters nothing
  federation.connections.get(LEAD)?.cut();
  await clock.settle();
  return { job, body, first };
}

test("another user's certificate does not go on with a submission, and learns nothing of it", async () => {
  const federation = await TestFederation.start();
  const { job, body, first } = await interrupted(federation);

  const other = await rawUser(federation, "member@example.org", first.session);
  await handIn(federation, other, { job, body });

  expect(other.resumed).toEqual([{ isResumed: false, acknowledged: [], streams: [] }]);
  expect(other.answers).toEqual(["ERR_FORBIDDEN"]);
  // Who began it is still able to go on.
  const own = await rawUser(federation, LEAD, first.session);
  await federation.clock.settle();
  expect(own.resumed[0]).toMatchObject({ isResumed: true, streams: [{ chunks: GRAPH_CHUNKS }] });
  await handIn(federation, own, { job, body });
  expect(own.answers).toEqual([job.jobId]);
  await federation.stop();
});

test("another payload under the id of a submission under way closes the session as REPLAYED", async () => {
  const federation = await TestFederation.start();
  const { job, body, first } = await interrupted(federation);

  const own = await rawUser(federation, LEAD, first.session);
  await handIn(federation, own, { job, body: { ...body, submitToken: "another" } });

  expect(own.answers).toEqual([]);
  expect((await own.session.ended).code).toBe("ERR_ENVELOPE_REPLAYED");
  expect(await federation.coordinator.jobs()).toEqual([]);
  await federation.stop();
});

test("a submission that was answered is told again under its own message only", async () => {
  const federation = await TestFederation.start();
  const { job, body, first } = await interrupted(federation);
  const own = await rawUser(federation, LEAD, first.session);
  await handIn(federation, own, { job, body });

  const again = await rawUser(federation, LEAD, own.session);
  await handIn(federation, again, { job, body });
  const changed = await rawUser(federation, LEAD, again.session);
  await handIn(federation, changed, { job, body: { ...body, submitToken: "another" } });
  const renamed = await rawUser(federation, LEAD, changed.session);
  await handIn(federation, renamed, { job, body, messageId: new Uint8Array(16).fill(8) });

  expect([own, again, changed, renamed].map(({ answers }) => answers)).toEqual([
    [job.jobId],
    [job.jobId],
    ["ERR_ENVELOPE_REPLAYED"],
    ["ERR_ENVELOPE_REPLAYED"],
  ]);
  expect(await federation.coordinator.jobs()).toHaveLength(1);
  await federation.stop();
});

test("RESUME of a user comes first, and once; a user who begins afresh has nothing kept", async () => {
  const federation = await TestFederation.start();
  const { job, body } = await interrupted(federation);

  const fresh = await rawUser(federation, LEAD);
  await fresh.session.send(resume, { acknowledged: [] });
  await federation.clock.settle();

  expect(fresh.resumed).toEqual([{ isResumed: false, acknowledged: [], streams: [] }]);
  expect(fresh.refusals.map(({ code }) => code)).toEqual(["ERR_RESUME_REFUSED"]);
  await handIn(federation, fresh, { job, body });
  expect(fresh.answers).toEqual([job.jobId]);
  await federation.stop();
});

test("two streams of a submission under one id are refused before anything is taken for them", async () => {
  const federation = await TestFederation.start();
  const { clock, crypto } = federation;
  const job = await signJob(aBundle(), { identity: federation.identityOf(LEAD), crypto, clock });
  const body = await submitOf(federation, job);
  const user = await rawUser(federation, LEAD);

  const parameters = { ...body.parameters, streamId: body.graph.streamId };
  await handIn(federation, user, { job, body: { ...body, parameters } });

  expect(user.answers).toEqual(["ERR_JOB_INVALID"]);
  expect([await storedParts(federation), await blobs(federation)]).toEqual([0, 0]);
  await federation.stop();
});

test("a submission that fails drops nothing that another participant has under the ids that it chose", async () => {
  const federation = await TestFederation.start();
  const { job, body, first } = await interrupted(federation);
  const { clock, crypto, project } = federation;
  const eve = await project.add("lead", "eve@example.org");
  const lie = { ...aBundle(), model: new Uint8Array(GRAPH_CHUNKS * CHUNK).fill(6) };
  const hers = await signJob(lie, { identity: eve, crypto, clock });
  const pair = await sessionPair({ project, crypto, clock, identity: eve });
  const answers: string[] = [];
  pair.client.receive({ routes: [on(requestFailed, ({ code }) => void answers.push(code))] });
  await federation.coordinator.admit(pair.server);

  // The graph that comes is not the one that her job names.
  await pair.client.sendObject(hers.object, eve.participant.chain);
  for (const [manifest, content] of [
    [body.graph, job.graph] as const,
    [body.parameters, job.parameters] as const,
  ]) {
    pair.client.sendStream(manifest, bytesSource(content), pair.client.signal).catch(() => undefined); // not asked for
  }
  await pair.client.send(jobSubmit, { ...body, jobId: hers.jobId });
  await clock.settle();
  expect(answers).toEqual(["ERR_JOB_INVALID"]);

  const own = await rawUser(federation, LEAD, first.session);
  await federation.clock.settle();
  expect(own.resumed[0]).toMatchObject({ isResumed: true, streams: [{ chunks: GRAPH_CHUNKS }] });
  await federation.stop();
});
