import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { expect, onTestFinished, test } from "vitest";
import { aFederation, type RunningFederation } from "../federation/a-federation.ts";
import { scriptedTrainer, smallJob } from "../federation/scripted-trainer.ts";
import { ASite } from "./a-site.ts";
import { Client } from "./client.ts";
import { enrol } from "./enrol.ts";
import { type Kit, readKit } from "./kit.ts";

// The second implementation against a running server, over a real socket. Only the server and the user are ours.

/** The kit of a participant as a folder, read by the second implementation. */
function kitOf({ project }: RunningFederation, name: string): Kit {
  const kit = project.kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  const folder = mkdtempSync(join(tmpdir(), "photinus-kit-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, content] of kit.files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return readKit(folder, Buffer.from(kit.secret).toString());
}

test("logs in to a server and trains a whole round beside a site of ours", async () => {
  const federation = await aFederation(2);
  await federation.startSite(
    "site-2",
    scriptedTrainer(() => 0.5),
  );
  const kit = kitOf(federation, "site-1");
  const client = await Client.login(federation.address.socketUrl, kit);
  const taking = new ASite(client, kit, { step: 0.25 }).takePart();
  const job = await (await federation.connectUser()).submit(smallJob(1, 2));

  const [account, view] = await Promise.all([taking, job.ended()]);

  expect(view?.state).toBe("finished");
  const [round] = view?.history ?? [];
  expect(round?.contributions.map(({ site, outcome }) => [site, outcome]).sort()).toEqual([
    ["site-1", "accepted"],
    ["site-2", "accepted"],
  ]);
  // The mean of a quarter and a half: what the stranger sent counted as it was sent.
  expect([...((await job.result()).model.get("w")?.f32 ?? [])]).toEqual(new Array(8).fill(0.375));
  expect(account.submitter).toBe("demo@example.org");
  expect(account.messages).toEqual(expect.arrayContaining([3, 25, 26, 31, 32, 34]));
  await client.close();
});

test("is refused with the key of somebody else, and does not go to a server of another root", async () => {
  const federation = await aFederation(2);
  const foreign = await aFederation(1);
  const [own, other] = [kitOf(federation, "site-1"), kitOf(federation, "site-2")];

  await expect(Client.login(federation.address.socketUrl, { ...own, key: other.key })).rejects.toMatchObject({
    code: 4003,
  });
  await expect(Client.login(foreign.address.socketUrl, own)).rejects.toThrow("another root");
});

test("enrols by a join link, logs in with the certificate, and trains", async () => {
  const federation = await aFederation(1);
  const fragment = await federation.server.invite({
    org: "guests",
    uses: 1,
    expiresAtMs: Date.now() + 60_000,
  });
  const kit = await enrol(federation.address.socketUrl, fragment);
  const client = await Client.login(federation.address.socketUrl, kit);
  const taking = new ASite(client, kit, { step: 0.5 }).takePart();
  const job = await (await federation.connectUser()).submit(smallJob(1, 1));

  await taking;

  expect(await job.ended()).toMatchObject({ state: "finished" });
  expect(client.self).toMatchObject({ role: "site", org: "guests" });
  // Who took the code a second time hears the reason inside the session.
  await expect(enrol(federation.address.socketUrl, fragment)).rejects.toMatchObject({ code: 4031 });
  await client.close();
});

test("goes on with a half-done upload in another session, and sends only what is missing", async () => {
  const federation = await aFederation(1);
  const url = federation.address.socketUrl;
  const kit = kitOf(federation, "site-1");
  const elements = 40_000; // three chunks
  const site = new ASite(await Client.login(url, kit), kit, { step: 0.5, elements, losesLineAfter: 1 });
  const lost = site.takePart();
  const job = await (await federation.connectUser()).submit(jobOf(elements));
  await lost;

  const client = await Client.login(url, kit);
  const account = await site.comeBack(client);

  expect(await job.ended()).toMatchObject({ state: "finished" });
  expect(account.resumedWith).toEqual(Buffer.of(1)); // the first of three
  expect(site.sentChunks).toBe(3);
  const { model } = await job.result();
  expect(new Set(model.get("w")?.f32)).toEqual(new Set([0.5]));
  await client.close();
});

test("goes on with a half-done download in another session, and is sent only what is missing", async () => {
  const federation = await aFederation(1);
  const url = federation.address.socketUrl;
  const kit = kitOf(federation, "site-1");
  const elements = 40_000; // three chunks, behind one of the graph
  const part = { step: 0.5, elements, losesLineAfterBlobChunks: 2 };
  const site = new ASite(await Client.login(url, kit), kit, part);
  const lost = site.takePart();
  const job = await (await federation.connectUser()).submit(jobOf(elements));
  await lost;
  expect(site.blobChunks).toBe(2);

  const client = await Client.login(url, kit);
  await site.comeBackForBlobs(client); // throws for a chunk that it has

  expect(await job.ended()).toMatchObject({ state: "finished" });
  expect(site.blobChunks).toBe(1 + 3 + 3); // the graph, the first model, and the one that the round made
  await client.close();
});

/** A job of one round, one site and a model of so many numbers. */
function jobOf(elements: number): ReturnType<typeof smallJob> {
  const parameters = [{ name: "w", dtype: "f32", shape: [elements], trainable: true }] as const;
  const initialParameters = new ParameterSet([["w", Tensor.f32([elements], new Float32Array(elements))]]);
  return { ...smallJob(1, 1), parameters, initialParameters };
}
