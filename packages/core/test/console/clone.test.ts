import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import type { Federation } from "../../src/console/index.ts";
import { openSource } from "../../src/console/open-source.ts";
import { type CloneSource, JobStore, signClone, signJob } from "../../src/job/index.ts";
import { jobClone, jobSubmit, jobSubmitted, requestFailed } from "../../src/message/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { connectSession, on } from "../../src/session/index.ts";
import { bytesSource, makeManifest } from "../../src/stream/index.ts";
import { type TestProject, testProject } from "../../src/testing/index.ts";
import { aBundle, TestFederation } from "../coordinator/a-federation.ts";
import { signedJobOf } from "../coordinator/signed-job.ts";

const [LEAD, ADMIN, OTHER] = ["lead@example.org", "admin@example.org", "other@example.org"] as const;

let project: TestProject;
let federation: TestFederation;
let jobId = "";

beforeAll(async () => {
  const users = [{ name: LEAD }, { name: OTHER }, { name: ADMIN, role: "project_admin" }] as const;
  project = await testProject({ sites: ["site-1", "site-2"], users });
});

beforeEach(async () => {
  federation = await TestFederation.start({ project });
  federation.site("site-1");
  jobId = await federation.submit({ rounds: 1, minimumSites: 1 });
  await federation.untilEnd(jobId);
});

afterEach(() => federation.stop());

const until = <T>(work: Promise<T>): Promise<T> => federation.clock.runUntil(work);

function verifying() {
  const { clock, crypto, root } = federation;
  const { project: name, revocations } = project;
  return { project: name, root, revocations, crypto, clock };
}

/** What the server keeps of a job that this user signed. */
async function sourceOf(user: string, id = jobId): Promise<CloneSource> {
  const told = { jobId: id, ...(await signedJobOf(federation, id)) };
  expect(project.users.get(user)?.participant.chain).toEqual(told.chain);
  return await openSource(id, told, verifying());
}

/** Hands in, in a session of its own, what somebody has signed. @returns what the server replies */
async function handIn(
  user: string,
  { object, chain }: { readonly object: Bytes; readonly chain: readonly Bytes[] },
  id: string,
): Promise<string> {
  const { clock, crypto, root } = federation;
  const identity = federation.identityOf(user);
  const connection = await federation.connector(user).connect(new AbortController().signal);
  const options = { identity, project: project.project, root, serverName: "hub" };
  const session = await until(connectSession(connection, options, { clock, crypto }));
  const replied = new Promise<string>((resolve) => {
    session.receive({
      onRefused: ({ code }) => resolve(code),
      routes: [
        on(jobSubmitted, ({ jobId: made }) => resolve(made)),
        on(requestFailed, ({ code, detail }) => resolve(`${code} ${detail}`)),
      ],
    });
  });
  await session.sendObject(object, chain);
  await session.send(jobClone, { jobId: id });
  const reply = await until(replied);
  await session.close("ERR_GOING_AWAY", "done");
  return reply;
}

const signed = async (identity: Identity, source: CloneSource) => ({
  ...(await signClone(source, {}, { identity, crypto: federation.crypto, clock: federation.clock })),
  chain: identity.participant.chain,
});

describe("a clone", () => {
  test("is a job of who made it, by his own signature, with his changes; whence it comes is on record", async () => {
    const admin: Federation = await federation.user(ADMIN);

    const changes = { name: "again", rounds: 2, sites: ["site-1"] };
    const clone = await until(admin.job(jobId).clone({ changes }));
    const view = await federation.untilEnd(clone.jobId);

    expect(view).toMatchObject({ name: "again", state: "finished", rounds: 2 });
    const record = await new JobStore(federation.metadata).get(clone.jobId);
    expect(record).toMatchObject({ clonedFrom: jobId, submitter: { name: ADMIN } });
    expect((await sourceOf(ADMIN, clone.jobId)).payload).toMatchObject({
      clonedFrom: jobId,
      definition: { deployment: { sites: ["site-1"] }, purpose: "Fits a line." },
    });
    const listed = await until(admin.jobs());
    expect(listed.find((job) => job.jobId === clone.jobId)).toMatchObject({ clonedFrom: jobId });
    const told = (await federation.records()).find(({ event }) => event.details["clonedFrom"] === jobId);
    expect(told?.event).toMatchObject({ action: "job", object: clone.jobId, reason: "submitted" });
  });

  test("outlives the job that it was made of, and is cloned again", async () => {
    const lead = await federation.user(LEAD);
    const first = await until(lead.job(jobId).clone());
    await federation.untilEnd(first.jobId);
    await until(lead.job(jobId).delete());

    const second = await until(lead.job(first.jobId).clone());

    expect(await federation.untilEnd(second.jobId)).toMatchObject({ state: "finished" });
    expect(await until(second.graph())).toEqual(aBundle().model);
  });

  test("by the same token is the same job", async () => {
    const lead = await federation.user(LEAD);

    const once = await until(lead.job(jobId).clone({ submitToken: "run-1" }));
    const again = await until(lead.job(jobId).clone({ submitToken: "run-1" }));

    expect(again.jobId).toBe(once.jobId);
    expect(await federation.coordinator.jobs()).toHaveLength(2);
  });

  test("is refused to who lacks the right, and that is on record", async () => {
    const other = await federation.user(OTHER);
    const source = await sourceOf(LEAD);
    const { object, chain, jobId: own } = await signed(federation.identityOf(OTHER), source);

    await expect(until(other.job(jobId).clone())).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
    await other.close();
    expect(await handIn(OTHER, { object, chain }, own)).toMatch(/^ERR_FORBIDDEN/);

    expect(await federation.coordinator.jobs()).toHaveLength(1);
    const refused = (await federation.records()).filter(({ event }) => event.outcome === "refused");
    expect(refused.map(({ event }) => [event.reason, event.object])).toEqual([
      ["clone", jobId],
      ["clone", jobId],
    ]);
  });

  test("is refused when what was kept of the job is gone, before it is asked for or after", async () => {
    const lead = await federation.user(LEAD);
    const { object, chain, jobId: own } = await signed(federation.identityOf(LEAD), await sourceOf(LEAD));
    await until(lead.job(jobId).delete());

    await expect(until(lead.job(jobId).clone())).rejects.toMatchObject({ code: "ERR_JOB_DELETED" });
    await lead.close();
    expect(await handIn(LEAD, { object, chain }, own)).toMatch(/^ERR_JOB_DELETED/);
    expect(await federation.coordinator.jobs()).toEqual([]);
  });

  test("that carries the signature of the first submitter is refused", async () => {
    const { object, chain, jobId: own } = await signed(federation.identityOf(LEAD), await sourceOf(LEAD));

    expect(await handIn(ADMIN, { object, chain }, own)).toMatch(
      /^ERR_FORBIDDEN a job is submitted by the one who signed it/,
    );
    expect(await handIn(LEAD, await signedJobOf(federation, jobId), jobId)).toMatch(/^ERR_ENVELOPE_REPLAYED/);
  });

  test("that names another model, or no job, is refused", async () => {
    const identity = federation.identityOf(LEAD);
    const source = await sourceOf(LEAD);
    const { payload } = source;
    const graph = { ...payload.graph, digest: new Uint8Array(32).fill(1) };
    const [table] = payload.parameters;
    const parameters = payload.parameters.map((entry) => ({ ...entry, trainable: entry === table }));
    const modules = { identity, crypto: federation.crypto, clock: federation.clock };
    const plain = await signJob(aBundle(), modules);

    for (const [wrong, reason] of [
      [{ ...payload, graph }, "graph: a clone has those of the job that it was cloned from"],
      [{ ...payload, parameters }, "parameters: a clone has the table of the job that it was cloned from"],
    ] as const) {
      const made = await signed(identity, { jobId, payload: wrong });
      expect(await handIn(LEAD, made, made.jobId)).toBe(`ERR_JOB_INVALID ${reason}`);
    }
    const { object } = plain;
    expect(await handIn(LEAD, { object, chain: identity.participant.chain }, plain.jobId)).toBe(
      "ERR_JOB_INVALID clonedFrom must be given",
    );
  });

  test("is handed in as a clone only: no other model comes under its name", async () => {
    const { clock, crypto, root } = federation;
    const identity = federation.identityOf(LEAD);
    const connection = await federation.connector(LEAD).connect(new AbortController().signal);
    const options = { identity, project: project.project, root, serverName: "hub" };
    const session = await until(connectSession(connection, options, { clock, crypto }));
    const made = await signed(identity, await sourceOf(LEAD));
    const replied = new Promise<string>((resolve) => {
      session.receive({ routes: [on(requestFailed, ({ code }) => resolve(code))] });
    });
    const content = new Uint8Array(8);
    const plan = { totalBytes: 8, chunkBytes: 65_536 };
    const graph = await makeManifest(bytesSource(content), plan, federation);
    const parameters = await makeManifest(bytesSource(content), plan, federation);

    await session.sendObject(made.object, made.chain);
    await session.send(jobSubmit, { jobId: made.jobId, graph, parameters });

    expect(await until(replied)).toBe("ERR_JOB_INVALID");
    await session.close("ERR_GOING_AWAY", "done");
  });
});

describe("what a server tells of a job to be cloned", () => {
  test("is not believed when it was changed, is another job, or somebody else's", async () => {
    const told = { jobId, ...(await signedJobOf(federation, jobId)) };
    const { chain } = federation.identityOf(OTHER).participant;
    const changed = told.object.slice();
    const last = changed.length - 1;
    changed[last] = (changed[last] ?? 0) ^ 1;

    const open = (id: string, source: typeof told) => openSource(id, source, verifying());

    await expect(open("0".repeat(32), told)).rejects.toMatchObject({ code: "ERR_ENVELOPE_WRONG_RECIPIENT" });
    await expect(open(jobId, { ...told, chain })).rejects.toMatchObject({
      code: "ERR_ENVELOPE_SIGNATURE_INVALID",
    });
    await expect(open(jobId, { ...told, object: changed })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(ENVELOPE_SIGNATURE_INVALID|DIGEST_MISMATCH)$/),
    });
  });

  test("is believed long after it was signed, and not once its signer is revoked", async () => {
    const told = { jobId, ...(await signedJobOf(federation, jobId)) };
    const given = verifying();
    const later = { ...given, clock: { now: () => given.clock.now() + 60 * 86_400_000 } };
    expect((await openSource(jobId, told, later)).payload.definition.name).toBe("line");

    await given.revocations.take(await project.revoke(federation.identityOf(LEAD)));

    await expect(openSource(jobId, told, given)).rejects.toMatchObject({ code: "ERR_SIGNER_REVOKED" });
  });
});
