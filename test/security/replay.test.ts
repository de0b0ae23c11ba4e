import type { Bytes } from "@photinus/core/bytes";
import { builtInRegistry, encode } from "@photinus/core/decomposer";
import { sealJobAbort, signJob } from "@photinus/core/job";
import { jobAccept, jobSubmit, requestFailed, siteReady } from "@photinus/core/message";
import { on } from "@photinus/core/session";
import { bytesSource, makeManifest } from "@photinus/core/stream";
import { FRAME_KIND, readFrame } from "@photinus/core/wire";
import { expect, test } from "vitest";
import { atWork, clock, crypto } from "./equipment/a-ground.ts";
import { HostileSite } from "./equipment/hostile-site.ts";
import { inTheMiddle } from "./equipment/in-the-middle.ts";
import { aLinearJob } from "./equipment/linear-job.ts";
import { logIn } from "./equipment/log-in.ts";
import { Mailbox } from "./equipment/mailbox.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const READY = { runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] } as const;

test("a replayed frame of the session ends the session", async () => {
  const { ground, job } = await atWork();
  const peer = await RawPeer.connect(ground);
  const frame = await peer.sendInner(peer.message(siteReady.type, new Uint8Array([0x80])));

  peer.sendOuter(frame);

  expect(await peer.end()).toMatchObject({ code: "ERR_SEQUENCE_GAP", closeCode: 4014 });
  await ground.survives(job);
});

test("a signed message that is sent again under a fresh counter is refused as replayed", async () => {
  const { ground, job } = await atWork();
  const peer = await RawPeer.connect(ground);
  await peer.sendInner(peer.message(siteReady.type, encode(READY, builtInRegistry())));
  const consent = await peer.signed({ type: jobAccept.type, body: { jobId: job.jobId, terms: "" } });
  await peer.sendInner(consent);

  await peer.sendInner(consent);

  expect(await peer.end()).toMatchObject({ code: "ERR_ENVELOPE_REPLAYED", closeCode: 4013 });
  const consents = (await ground.events("consent")).filter(({ actor }) => actor.endsWith(" mallory"));
  expect(consents).toHaveLength(1);
  await ground.survives(job);
});

test("a signed message of one session is worth nothing in another of the same site", async () => {
  const { ground, job } = await atWork();
  const first = await RawPeer.connect(ground);
  const consent = await first.signed({ type: jobAccept.type, body: { jobId: job.jobId, terms: "" } });
  const second = await RawPeer.connect(ground);

  await second.sendInner(consent);

  expect(await second.refusal()).toBe("ERR_ENVELOPE_WRONG_RECIPIENT");
  await ground.survives(job);
});

test("a recorded handshake and session, played back from the start, come to nothing", async () => {
  const { ground, job } = await atWork();
  const recorded: Bytes[] = [];
  const record = (frame: Bytes): readonly Bytes[] => {
    recorded.push(frame);
    return [frame];
  };
  const connector = inTheMiddle(ground.connector, { toServer: record });
  const session = await logIn(ground, ground.siteIdentity("mallory"), connector);
  session.receive({ routes: [] });
  await session.send(siteReady, READY);
  await session.close("ERR_GOING_AWAY");
  const logins = (await ground.events("login")).length;

  const connection = await ground.connector.connect(new AbortController().signal);
  for (const frame of recorded) connection.send(frame);
  const kinds: number[] = [];
  for await (const frame of connection.frames) kinds.push(readFrame(frame).kind);

  expect(kinds).toEqual([FRAME_KIND.handshake2, FRAME_KIND.error]);
  expect((await connection.ended).closeCode).toBe(4003);
  const [refused] = (await ground.events("login")).slice(logins);
  expect(refused).toMatchObject({ outcome: "refused", reason: "ERR_AUTH_FAILED" });
  await ground.survives(job);
});

test("a job object that another user recorded cannot be handed in by that user", async () => {
  const { ground, job } = await atWork();
  const lead = ground.project.users.get("lead@example.org");
  if (lead === undefined) throw new RangeError("no lead");
  const signed = await signJob(aLinearJob(), { identity: lead, crypto, clock });
  const eve = await logIn(ground, await ground.project.add("lead", "eve@example.org"));
  const refusals = new Mailbox<string>();
  eve.receive({ routes: [on(requestFailed, ({ code }) => refusals.put(code))] });
  const manifestOf = (content: Bytes) =>
    makeManifest(bytesSource(content), { totalBytes: content.byteLength }, { crypto, clock });

  await eve.sendObject(signed.object, lead.participant.chain);
  await eve.send(jobSubmit, {
    jobId: signed.jobId,
    graph: await manifestOf(signed.graph),
    parameters: await manifestOf(signed.parameters),
  });

  expect(await refusals.next()).toBe("ERR_FORBIDDEN");
  expect((await ground.server.coordinator.jobs()).map(({ jobId }) => jobId)).toEqual([job.jobId]);
  await ground.survives(job);
  await eve.close("ERR_GOING_AWAY");
});

test("the end of a job that its submitter signed cannot be brought by another user, nor by a site", async () => {
  const { ground, job } = await atWork();
  const lead = ground.project.users.get("lead@example.org");
  if (lead === undefined) throw new RangeError("no lead");
  const order = await sealJobAbort({ jobId: job.jobId, reason: "" }, { identity: lead, crypto, clock });
  // An administrator of the project may end any job: by an order of his own.
  const eve = await logIn(ground, await ground.project.add("project_admin", "eve@example.org"));
  const refusals = new Mailbox<string>();
  eve.receive({ onRefused: ({ code }) => refusals.put(code), routes: [] });
  await eve.sendObject(order, lead.participant.chain);
  expect(await refusals.next()).toBe("ERR_FORBIDDEN");

  const site = await logIn(ground, await ground.project.add("site", "mallory"));
  site.receive({ routes: [] });
  await site.sendObject(order, lead.participant.chain);
  expect((await site.ended).code).toBe("ERR_TYPE_UNKNOWN");

  expect((await ground.events("job")).filter(({ reason }) => reason === "abort")).toEqual([]);
  await ground.survives(job);
  await eve.close("ERR_GOING_AWAY");
});

test("a site that hands in a job object is cut off: objects are not expected of it", async () => {
  const { ground, job } = await atWork();
  const lead = ground.project.users.get("lead@example.org");
  if (lead === undefined) throw new RangeError("no lead");
  const signed = await signJob(aLinearJob(), { identity: lead, crypto, clock });
  const { session } = await HostileSite.connect(ground);

  await session.sendObject(signed.object, lead.participant.chain);

  expect(await session.ended).toMatchObject({ code: "ERR_TYPE_UNKNOWN", local: false });
  expect((await ground.server.coordinator.jobs()).map(({ jobId }) => jobId)).toEqual([job.jobId]);
  await ground.survives(job);
});
