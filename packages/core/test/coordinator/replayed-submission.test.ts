import { expect, test } from "vitest";
import { type SignedJob, signJob } from "../../src/job/index.ts";
import { jobSubmit, jobSubmitted, requestFailed } from "../../src/message/index.ts";
import { connectSession, on, type Session } from "../../src/session/index.ts";
import { bytesSource, makeManifest } from "../../src/stream/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";

const LEAD = "lead@example.org";

/** Hands in a job in a session of its own. @returns what the server replies */
async function handIn(federation: TestFederation, job: SignedJob): Promise<string> {
  const { clock, crypto, project, root } = federation;
  const identity = federation.identityOf(LEAD);
  const connection = await federation.connector(LEAD).connect(new AbortController().signal);
  const options = { identity, project: project.project, root, serverName: "hub" };
  const session: Session = await clock.runUntil(connectSession(connection, options, { clock, crypto }));
  const replied = new Promise<string>((resolve) => {
    session.receive({
      routes: [
        on(jobSubmitted, ({ jobId }) => resolve(`submitted ${jobId}`)),
        on(requestFailed, ({ code }) => resolve(code)),
      ],
    });
  });
  const manifestOf = (content: SignedJob["graph"]) =>
    makeManifest(bytesSource(content), { totalBytes: content.byteLength, chunkBytes: 65_536 }, federation);
  const [graph, parameters] = [await manifestOf(job.graph), await manifestOf(job.parameters)];
  await session.sendObject(job.object, identity.participant.chain);
  for (const [manifest, content] of [[graph, job.graph] as const, [parameters, job.parameters] as const]) {
    session.sendStream(manifest, bytesSource(content), session.signal).catch(() => undefined); // not asked for
  }
  await session.send(jobSubmit, { jobId: job.jobId, graph, parameters });
  const reply = await clock.runUntil(replied);
  await session.close("ERR_GOING_AWAY", "done");
  return reply;
}

test("a job is handed in once: not in another session, not after a restart, not after its end", async () => {
  const federation = await TestFederation.start();
  const { clock, crypto } = federation;
  const job = await signJob(aBundle(), { identity: federation.identityOf(LEAD), crypto, clock });
  expect(await handIn(federation, job)).toBe(`submitted ${job.jobId}`);

  expect(await handIn(federation, job)).toBe("ERR_ENVELOPE_REPLAYED");
  await clock.runUntil(federation.restart());
  expect(await handIn(federation, job)).toBe("ERR_ENVELOPE_REPLAYED");
  await clock.runUntil(federation.coordinator.abort(job.jobId));
  expect(await handIn(federation, job)).toBe("ERR_ENVELOPE_REPLAYED");

  const submitted = (await federation.records()).filter(({ event }) => event.reason === "submitted");
  expect(submitted).toHaveLength(1);
  expect(await federation.coordinator.jobs()).toHaveLength(1);
  await federation.stop();
});

test("of two gateways that are handed one job at once, one takes it, and both refuse it from then on", async () => {
  const first = await TestFederation.start();
  const second = await TestFederation.start({ metadata: first.metadata });
  const { clock, crypto } = first;
  const job = await signJob(aBundle(), { identity: first.identityOf(LEAD), crypto, clock });

  const replies = await Promise.all([handIn(first, job), handIn(second, job)]);

  expect(replies.filter((reply) => reply === `submitted ${job.jobId}`)).toHaveLength(1);
  expect(await handIn(first, job)).toBe("ERR_ENVELOPE_REPLAYED");
  expect(await handIn(second, job)).toBe("ERR_ENVELOPE_REPLAYED");
  await second.stop();
  await first.stop();
});
