import { contribution, evaluationResult } from "@photinus/core/message";
import { writeChunk, writeCredit } from "@photinus/core/stream";
import { expect, test } from "vitest";
import { atWork, clock, crypto, type Ground } from "./equipment/a-ground.ts";
import { announcementOf, HostileSite } from "./equipment/hostile-site.ts";
import { updateOf } from "./equipment/linear-job.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const STREAM = new Uint8Array(16).fill(3);

/** Mallory's part in the running job: asked from the second round on. */
async function askedMallory(ground: Ground) {
  const mallory = await HostileSite.connect(ground);
  const task = mallory.tasks.next();
  ground.gate.open();
  return { mallory, task: await task };
}

test("a chunk without credit ends the session of whoever sent it", async () => {
  const { ground, job } = await atWork();
  const peer = await RawPeer.connect(ground);

  await peer.sendInner(writeChunk({ streamId: STREAM, index: 0, data: new Uint8Array(65_536) }));

  expect(await peer.end()).toMatchObject({ code: "ERR_STREAM_REFUSED", closeCode: 4029 });
  await ground.survives(job);
});

test("a flood of credit for streams that do not exist takes no memory and hurts nobody", async () => {
  const { ground, job } = await atWork();
  const peer = await RawPeer.connect(ground);

  for (let index = 0; index < 2000; index++) {
    await peer.sendInner(writeCredit(crypto.randomBytes(16), Number.MAX_SAFE_INTEGER));
  }

  await peer.sendInner(peer.message(9999, Uint8Array.of(0x80)));
  expect(await peer.refusal()).toBe("ERR_TYPE_UNKNOWN");
  await ground.survives(job);
});

test("a chunk that is not the one that was signed is refused, and the round goes on", async () => {
  const { ground, job } = await atWork();
  const { mallory, task } = await askedMallory(ground);
  const { manifest } = await announcementOf(task, updateOf(0.5));

  await mallory.contribute(task, updateOf(0.001), { manifest });

  expect(await mallory.answers.next()).toMatchObject({ kind: "refused", code: "ERR_DIGEST_MISMATCH" });
  await mallory.session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("a manifest whose root is not that of its leaves is refused before a byte is taken", async () => {
  const { ground, job } = await atWork();
  const { mallory, task } = await askedMallory(ground);
  const body = await announcementOf(task, updateOf(0.001));

  await mallory.contribute(task, updateOf(0.001), {
    manifest: { ...body.manifest, root: crypto.randomBytes(32) },
  });

  expect(await mallory.answers.next()).toMatchObject({ kind: "refused", code: "ERR_DIGEST_MISMATCH" });
  await mallory.session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("a manifest that promises terabytes is refused before memory is taken", async () => {
  const { ground, job } = await atWork();
  const { mallory, task } = await askedMallory(ground);
  const { manifest } = await announcementOf(task, updateOf(0.001));
  const chunks = 16_384;
  const huge = { ...manifest, totalBytes: chunks * 65_536, leaves: new Uint8Array(32 * chunks) };

  await mallory.contribute(task, updateOf(0.001), { manifest: huge });

  expect(await mallory.answers.next()).toMatchObject({ kind: "refused", code: "ERR_CONTRIBUTION_SHAPE" });
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(2 ** 30);
  await mallory.session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("a site that vanishes in the middle of its upload is missing; the round keeps what it had", async () => {
  const { ground, job } = await atWork();
  const { mallory, task } = await askedMallory(ground);
  await mallory.session.send(contribution, await announcementOf(task, updateOf(0.001)));
  await ground.untilView(job.jobId, ({ sites }) =>
    sites.some(({ name, phase }) => name === "mallory" && phase === "uploading"),
  );

  await mallory.session.close("ERR_GOING_AWAY");

  const view = await ground.survives(job);
  const outcome = view.history[task.round - 1]?.contributions.find(({ site }) => site === "mallory");
  expect(outcome).toMatchObject({ outcome: "missing", cause: "ERR_SITE_DISCONNECTED" });
});

test("a site whose line is cut without a word holds up nobody", async () => {
  const { ground, job } = await atWork();
  const peer = await RawPeer.connect(ground);

  peer.outcome.channel.close(4999, "");

  await ground.survives(job);
});

test("a newer session of the same certificate takes over, and the older one is told", async () => {
  const { ground, job } = await atWork();
  const first = await HostileSite.connect(ground);

  const second = await HostileSite.connect(ground);

  expect(await first.session.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: false });
  void (async () => {
    for (;;) {
      const task = await second.tasks.next();
      if (task.kind === "train") await second.contribute(task, updateOf(0.001));
      else await second.session.send(evaluationResult, { jobId: task.jobId, taskId: task.taskId });
    }
  })();
  await ground.survives(job);
  expect(clock.now()).toBeGreaterThan(0);
});
