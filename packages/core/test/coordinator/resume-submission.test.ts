import { expect, test } from "vitest";
import { connect, type Federation } from "../../src/console/index.ts";
import type { Connector } from "../../src/platform/index.ts";
import { TestFederation } from "./a-federation.ts";
import { aBundle, blobs, CHUNK, GRAPH_CHUNKS, LEAD, storedParts } from "./a-submission.ts";
import { CHUNKS, type LossyLine, lossyLine } from "./resuming-site.ts";

const ALL = GRAPH_CHUNKS + CHUNKS;

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
