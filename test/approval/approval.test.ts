import { once } from "node:events";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "@photinus/core/plugin";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { pluginsOf } from "../../packages/cli/src/plugin-modules.ts";
import { aBundle, TestFederation } from "../../packages/core/test/coordinator/a-federation.ts";
import { temporaryFolder } from "../security/equipment/a-ground.ts";

const EXAMPLE = fileURLToPath(new URL("../../demos/approval/approval.mjs", import.meta.url));
const SMALL = { rounds: 1, minimumSites: 1, waitForSitesMs: 60_000 };

/** An approval service. @returns its address */
async function aService(answer: (response: ServerResponse, body: unknown) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    answer(response, JSON.parse(Buffer.concat(chunks).toString("utf8")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  return `http://127.0.0.1:${address.port}/jobs`;
}

/** A kit whose plugins.json says this, beside the example. */
async function aKit(document: unknown): Promise<string> {
  const kit = await temporaryFolder();
  await mkdir(join(kit, "local"));
  await copyFile(EXAMPLE, join(kit, "local", "approval.mjs"));
  await writeFile(join(kit, "local", "plugins.json"), JSON.stringify(document));
  return kit;
}

async function loaded(options: object): Promise<readonly Plugin[]> {
  return await pluginsOf(
    await aKit({ format_version: "1.0", plugins: [{ module: "approval.mjs", options }] }),
  );
}

beforeAll(async () => {
  await (await TestFederation.start()).stop(); // its certificates take a while, and the service is real
});

/** Hands a job in under these plug-ins. */
async function handedIn(
  plugins: readonly Plugin[],
): Promise<{ federation: TestFederation; jobId: Promise<string> }> {
  const federation = await TestFederation.start({ plugins });
  const user = await federation.user();
  const jobId = user.submit(aBundle(SMALL)).then((job) => job.jobId);
  jobId.catch(() => undefined); // looked at by the test
  return { federation, jobId };
}

test("a job waits for the service, and is taken when it approves", async () => {
  const asked: unknown[] = [];
  let approve: (() => void) | undefined;
  const isAsked = new Promise<void>((resolve) => {
    approve = resolve;
  });
  let held: ServerResponse | undefined;
  const url = await aService((response, body) => {
    asked.push(body);
    held = response;
    approve?.();
  });
  const { federation, jobId } = await handedIn(await loaded({ url }));
  await federation.clock.settle();
  await isAsked;
  expect(await federation.coordinator.jobs()).toEqual([]);

  held?.end(JSON.stringify({ approved: true }));

  expect(await federation.coordinator.job(await jobId)).toMatchObject({ state: "waiting" });
  expect(asked).toMatchObject([{ job: { name: "line", submitter: { name: "lead@example.org" } } }]);
  await federation.stop();
});

test.each([
  [
    "denies",
    (response: ServerResponse) => response.end(JSON.stringify({ approved: false, reason: "no ethics vote" })),
    "no ethics vote",
  ],
  [
    "is out of order",
    (response: ServerResponse) => response.writeHead(503).end(),
    "the approval service answered HTTP 503",
  ],
  ["answers nonsense", (response: ServerResponse) => response.end("<html>"), "it failed to decide"],
  [
    "answers without end",
    (response: ServerResponse) => response.end("x".repeat(100_000)),
    "it failed to decide",
  ],
])("a service that %s denies the job, and the submitter reads why", async (_, answer, why) => {
  const { federation, jobId } = await handedIn(await loaded({ url: await aService(answer) }));
  await federation.clock.settle();

  await expect(jobId).rejects.toMatchObject({
    code: "ERR_PLUGIN_REFUSED",
    message: expect.stringContaining(why),
  });
  expect(await federation.coordinator.jobs()).toEqual([]);
  await federation.stop();
});

test("a service that does not answer in time denies the job, and its request is ended", async () => {
  let ended: () => void = () => undefined;
  const isEnded = new Promise<void>((resolve) => {
    ended = resolve;
  });
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const url = await aService((response) => {
    response.on("close", ended);
    asked();
  });
  const { federation, jobId } = await handedIn(await loaded({ url, waitSeconds: 30 }));
  await federation.clock.settle();
  await isAsked;

  await federation.clock.advance(30_000);

  await expect(jobId).rejects.toThrow("it did not answer within 30000 ms");
  await isEnded;
  await federation.stop();
});

test.each([
  ["a package", { module: "lodash" }, "there is no such file"],
  ["a way out of the folder", { module: "../plugin.mjs" }, "outside of the kit's local folder"],
  ["a module that is not there", { module: "missing.mjs" }, "there is no such file"],
  ["a module without createPlugin", { module: "empty.mjs" }, "it does not load"],
  ["a module that throws", { module: "approval.mjs", options: { url: "no address" } }, "it does not load"],
  [
    "what is no plug-in",
    { module: "approval.mjs", options: { url: "http://127.0.0.1/", waitSeconds: 3600 } },
    "timeLimitMs",
  ],
  ["a module that everybody may change", { module: "open.mjs" }, "everybody on this host may change it"],
])("a kit that names %s loads nothing", async (_, plugin, words) => {
  const kit = await aKit({ format_version: "1.0", plugins: [plugin] });
  await writeFile(join(kit, "plugin.mjs"), 'export const createPlugin = () => ({ name: "a" });');
  await writeFile(join(kit, "local", "empty.mjs"), "export {};");
  const { chmod } = await import("node:fs/promises");
  await copyFile(EXAMPLE, join(kit, "local", "open.mjs"));
  await chmod(join(kit, "local", "open.mjs"), 0o666);

  await expect(pluginsOf(kit)).rejects.toMatchObject({
    code: "ERR_PLUGIN_INVALID",
    message: expect.stringContaining(words),
  });
});

test("a kit without plugins.json has none, and one with an unknown key is told where it stands", async () => {
  expect(await pluginsOf(await temporaryFolder())).toEqual([]);

  await expect(
    pluginsOf(await aKit({ format_version: "1.0", plugins: [{ modul: "a.mjs" }] })),
  ).rejects.toMatchObject({
    code: "ERR_CONFIG_INVALID",
    message: expect.stringContaining("plugins.json:1:"),
  });
});
