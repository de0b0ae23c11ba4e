import { expect, test } from "vitest";
import { DishonestServer } from "./equipment/dishonest-server.ts";

/** A site that is ready for the lead's job. */
async function readySite() {
  const server = await DishonestServer.open();
  const job = await server.aJob();
  await server.offer(job);
  await server.accepted.next();
  await server.giveGraph(job.jobId, await server.publish(job.jobId, "graph", job.graph));
  await server.ready.next();
  return { server, job };
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
