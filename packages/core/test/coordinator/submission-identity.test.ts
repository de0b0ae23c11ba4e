import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { type SignedJob, signJob } from "../../src/job/index.ts";
import { type JobSubmit, jobSubmit, jobSubmitted, requestFailed } from "../../src/message/index.ts";
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
import { aBundle, blobs, CHUNK, GRAPH_CHUNKS, LEAD, storedParts } from "./a-submission.ts";

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
