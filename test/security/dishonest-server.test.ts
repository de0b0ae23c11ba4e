import { type PolicySource, parsePolicy } from "@photinus/core/authorization";
import { filterRegistry, parsePrivacyPolicy } from "@photinus/core/filter";
import { type SignedJob, sealJobAbort } from "@photinus/core/job";
import type { Identity } from "@photinus/core/pki";
import { sealSuspension } from "@photinus/core/session";
import { layoutOf } from "@photinus/core/tensor";
import { expect, test } from "vitest";
import { clock, crypto } from "./equipment/a-ground.ts";
import { DishonestServer } from "./equipment/dishonest-server.ts";

/** A site that is ready for the lead's job. */
async function readySite() {
  const server = await DishonestServer.open();
  const job = await server.aJob();
  await prepare(server, job);
  return { server, job };
}

/** The site takes the job and has its graph. */
async function prepare(server: DishonestServer, job: SignedJob): Promise<void> {
  await server.offer(job);
  await server.accepted.next();
  await server.giveGraph(job.jobId, await server.publish(job.jobId, "graph", job.graph));
  await server.ready.next();
}

test("a site trains what a user signed", async () => {
  const { server, job } = await readySite();

  const taskId = await server.giveTask(job.jobId, 1);

  expect((await server.contributions.next()).taskId).toBe(taskId);
  expect(server.trained).toEqual(["prepare", "train"]);
});

test("a server cannot submit a job of its own", async () => {
  const server = await DishonestServer.open();

  await server.offer(await server.aJob(server.project.server), server.project.server);

  expect(await server.refusals.next()).toBe("ERR_TYPE_UNKNOWN");
  expect(server.trained).toEqual([]);
});

test("a server cannot let a site or a mere member submit", async () => {
  const server = await DishonestServer.open();
  const member = await server.project.add("member", "member@example.org");

  await server.offer(await server.aJob(member), member);

  expect(await server.declined.next()).toContain("member");
  expect(server.trained).toEqual([]);
});

test("a server cannot put another graph in place of the one that was signed", async () => {
  const server = await DishonestServer.open();
  const job = await server.aJob();
  await server.offer(job);
  await server.accepted.next();

  await server.giveGraph(
    job.jobId,
    await server.publish(
      job.jobId,
      "graph",
      job.graph.map((byte) => byte ^ 1),
    ),
  );

  expect(await server.failed.next()).toMatchObject({ code: "ERR_JOB_INVALID" });
  expect(server.trained).toEqual([]);
});

test("a server cannot have a site train before its graph came, or for a job that was never offered", async () => {
  const server = await DishonestServer.open();
  const job = await server.aJob();
  await server.giveTask(job.jobId, 1);
  await server.offer(job);
  await server.accepted.next();
  await server.giveTask(job.jobId, 1);

  await server.giveGraph(job.jobId, await server.publish(job.jobId, "graph", job.graph));
  await server.ready.next();

  expect(server.trained).toEqual(["prepare"]);
});

test("a server cannot ask for more rounds than the user signed and the site agreed to", async () => {
  const { server, job } = await readySite();

  const taskId = await server.giveTask(job.jobId, job.payload.definition.workflow.rounds + 1);

  expect(await server.failed.next()).toMatchObject({ taskId, code: "ERR_JOB_INVALID" });
  expect(server.trained).toEqual(["prepare"]);
});

test("a server cannot ask for a model of another shape than the user signed", async () => {
  const { server, job } = await readySite();
  const wider = layoutOf([
    { name: "weight", dtype: "f32", shape: [400] },
    { name: "bias", dtype: "f32", shape: [1] },
  ]);

  const taskId = await server.giveTask(job.jobId, 1, wider);

  expect(await server.failed.next()).toMatchObject({ taskId, code: "ERR_MODEL_PARAMETERS" });
  expect(server.trained).toEqual(["prepare"]);
});

test("a server cannot take a filter out of what a user signed, nor what a site's own policy does out of its way", async () => {
  const clip = (clippingNorm: number) => ({ name: "clip-norm", args: { clippingNorm } });
  const privacy = parsePrivacyPolicy(
    {
      scopes: [{ name: "study", task_result_filters: [clip(0.01)] }],
      default_scope: "study",
    },
    { registry: filterRegistry() },
  );
  const server = await DishonestServer.open({ privacy: () => ({ policy: privacy }) });
  const job = await server.aJob(undefined, { siteResult: [clip(0.001)] });
  const without = job.object.slice();
  const at = Buffer.from(without).indexOf("clip-norm");
  expect(at).toBeGreaterThan(0);
  without.set(Buffer.from("clip-nope"), at);

  await server.offer({ ...job, object: without });
  expect(await server.refusals.next()).toBe("ERR_DIGEST_MISMATCH");
  await prepare(server, job);
  await server.giveTask(job.jobId, 1);

  expect((await server.contributions.next()).norm).toBeLessThanOrEqual(0.001);
  const applied = [];
  for await (const { event } of server.audit.read())
    if (event.action === "filter") applied.push([event.details["of"], event.details["clippingNorm"]]);
  expect(applied).toEqual([
    ["site", 0.01],
    ["job", 0.001],
  ]);
});

/** What a user signs to end a job. @param nowMs the time that it says */
function abortOf(
  { jobId }: SignedJob,
  identity: Identity,
  nowMs = clock.now(),
): ReturnType<typeof sealJobAbort> {
  return sealJobAbort({ jobId, reason: "" }, { identity, crypto, clock: { now: () => nowMs } });
}

function leadOf({ project }: DishonestServer): Identity {
  const [lead] = project.users.values();
  if (lead === undefined) throw new RangeError("no lead");
  return lead;
}

/** The site still trains for the job. */
async function stillTrains(server: DishonestServer, job: SignedJob): Promise<void> {
  const taskId = await server.giveTask(job.jobId, 1);
  expect((await server.contributions.next()).taskId).toBe(taskId);
}

test("a server cannot end a job in a user's name, nor alter or delay what a user has signed", async () => {
  const { server, job } = await readySite();
  const lead = leadOf(server);

  await server.send(await abortOf(job, server.project.server), server.project.server);
  expect(await server.refusals.next()).toBe("ERR_TYPE_UNKNOWN");
  await server.send(await abortOf(job, lead, clock.now() - 600_001), lead);
  expect(await server.refusals.next()).toBe("ERR_ENVELOPE_STALE");
  await server.send(await abortOf({ ...job, jobId: "ab".repeat(16) }, lead), lead); // of another job

  const altered = (await abortOf(job, lead)).slice();
  altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
  await server.send(altered, lead);
  expect(await server.refusals.next()).toBe("ERR_DIGEST_MISMATCH");

  await stillTrains(server, job);
  const forged = { ...lead, signingKey: server.project.server.signingKey };
  await server.send(await abortOf(job, forged), lead);
  expect((await server.session?.ended)?.code).toBe("ERR_ENVELOPE_SIGNATURE_INVALID");
});

test("an order that a user signed counts at the site as its own policy says: of the submitter, not of another lead", async () => {
  const { server, job } = await readySite();
  const other = await server.project.add("lead", "other@example.org");

  await server.send(await abortOf(job, other), other);
  expect(await server.refusals.next()).toBe("ERR_FORBIDDEN");
  await stillTrains(server, job);
  await server.send(await abortOf(job, leadOf(server)), leadOf(server));
  await expect.poll(() => server.recorded()).toHaveLength(3);

  const trained = server.trained.length;
  await server.giveTask(job.jobId, 2);
  await server.offer(await server.aJob()); // what comes later shows that the task was passed over
  await server.accepted.next();
  expect(server.trained).toHaveLength(trained);
  const lead = leadOf(server).participant.name;
  expect((await server.recorded()).slice(0, 3)).toEqual([
    `accepted submit ${lead}`,
    "refused abort other@example.org",
    `accepted abort ${lead}`,
  ]);
});

test("a server cannot play a job that has ended again, nor put its end before its beginning", async () => {
  const { server, job } = await readySite();
  await server.send(await abortOf(job, leadOf(server)), leadOf(server));
  await server.offer(job);

  const later = await server.aJob();
  const other = await server.project.add("lead", "other@example.org");
  await server.send(await abortOf(later, leadOf(server)), leadOf(server));
  await server.send(await abortOf(later, other), other); // does not take the place of the other one
  await server.offer(later);

  expect(await server.declined.next()).toContain("has ended this job");
  expect(server.trained).toEqual(["prepare"]);
  const offered = (await server.recorded()).filter((record) => record.includes(" submit "));
  expect(offered).toHaveLength(1);
});

test("a server cannot admit a user whom the site's own policy refuses", async () => {
  const policy = parsePolicy({ format_version: "1.0", permissions: { lead: { submit_job: "o:elsewhere" } } });
  const source: PolicySource = () => policy;
  const server = await DishonestServer.open({ policy: source });

  await server.offer(await server.aJob());

  expect(await server.declined.next()).toContain("lead.submit_job allows only: o:elsewhere");
  expect(server.trained).toEqual([]);
  expect(await server.recorded()).toEqual([`refused ERR_FORBIDDEN ${leadOf(server).participant.name}`]);
});

test("a server cannot undo a suspension by an earlier order that it kept back", async () => {
  const server = await DishonestServer.open();
  const admin = await server.project.add("project_admin", "admin@example.org");
  const lead = leadOf(server);
  const { leafDigest: leaf, name, org, role } = lead.participant;
  const about = { leaf, name, org, role, reason: "stolen" };
  const at = (nowMs: number) => ({ identity: admin, crypto, clock: { now: () => nowMs } });
  const resumption = await sealSuspension({ kind: "resume", ...about }, at(clock.now() - 2_000));
  const suspension = await sealSuspension({ kind: "suspend", ...about }, at(clock.now() - 1_000));

  await server.send(suspension, admin);
  await server.send(resumption, admin);
  await server.offer(await server.aJob());

  expect(await server.refusals.next()).toMatch(/^ERR_SIGNER_REVOKED: /);
  expect(server.trained).toEqual([]);
});
