import { expect, test } from "vitest";
import { fromBase64Url } from "../../src/bytes/index.ts";
import { taskProgress } from "../../src/message/index.ts";
import { verifyChain } from "../../src/pki/index.ts";
import { labelled } from "../../src/wire/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite } from "./raw-site.ts";

const IDS = { jobId: "0".repeat(32), taskId: "1".repeat(32) };

async function checkpointsOf(federation: TestFederation) {
  return (await federation.records()).filter(({ event }) => event.action === "checkpoint");
}

test("the last CHECKPOINT of a session is kept when it has ended, and shows what its participant signed", async () => {
  const federation = await TestFederation.start();
  const { session } = await RawSite.connect(federation, "site-1");
  await session.send(taskProgress, { ...IDS, phase: "training", progress: 0.5 });
  await federation.clock.advance(180_000);
  expect(await checkpointsOf(federation)).toEqual([]); // one for a session, not one a minute

  await session.close("ERR_GOING_AWAY");
  await federation.clock.settle();

  const [kept, ...others] = await checkpointsOf(federation);
  expect(others).toEqual([]);
  const { details = {}, actor = "" } = kept?.event ?? {};
  const chain = federation.identityOf("site-1").participant.chain;
  const { participant, verifyingKey } = await verifyChain(
    chain,
    {
      ...{ root: federation.root, project: federation.project.project },
      ...{ usage: "client", nowMs: federation.clock.now() },
    },
    federation,
  );
  const frame = fromBase64Url(String(details["frame"]));
  const signature = fromBase64Url(String(details["signature"]));
  expect(actor).toContain(participant.name);
  const signed = labelled("checkpoint", frame);
  expect(await federation.crypto.verify(verifyingKey, signature, signed)).toBe(true);
  frame[frame.length - 1]! ^= 1;
  const altered = labelled("checkpoint", frame);
  expect(await federation.crypto.verify(verifyingKey, signature, altered)).toBe(false);
  await federation.stop();
});

test("a session that ended before its first CHECKPOINT leaves none, and a server that stops keeps those that came", async () => {
  const federation = await TestFederation.start();
  const brief = await RawSite.connect(federation, "site-1");
  await brief.session.close("ERR_GOING_AWAY");
  await RawSite.connect(federation, "site-2");
  await federation.clock.advance(120_000);

  await federation.stop();

  const kept = await checkpointsOf(federation);
  expect(kept.map(({ event }) => event.actor.split(" ")[1])).toEqual(["site-2"]);
});
