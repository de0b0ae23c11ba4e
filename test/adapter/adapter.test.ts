import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import { createProject, type OpenedKit, openKit, type ProvisionedProject } from "@photinus/core/provision";
import { Site } from "@photinus/core/site";
import { webSocketConnector, writeKitFolder } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { runAdapter } from "../../demos/adapter/adapter.ts";
import { linearData, linearTrainer } from "../../packages/core/test/coordinator/linear-trainer.ts";
import { clock, crypto, temporaryFolder } from "../security/equipment/a-ground.ts";
import { aLinearJob } from "../security/equipment/linear-job.ts";

const never = new AbortController().signal;

const DEFINITION = {
  name: "clinic",
  server: { name: "hub", org: "central", hosts: ["127.0.0.1"], port: 8443 },
  sites: [{ name: "north", org: "north", security: "clear" }],
  adapters: [{ name: "tracker", org: "central", security: "clear" }],
  users: [{ name: "ada@example.org", org: "central", role: "lead" }],
};

/** A tracker of somebody else: it keeps what is posted. */
async function aTracker(): Promise<{ readonly url: string; readonly posted: unknown[] }> {
  const posted: unknown[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    posted.push(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    response.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/figures`, posted };
}

async function opened({ kits }: ProvisionedProject, name: string): Promise<OpenedKit> {
  const kit = kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return await openKit(kit.files, { nowMs: clock.now(), secret: kit.secret }, { crypto });
}

async function running(project: ProvisionedProject): Promise<string> {
  const storage = await openStorage({ folder: join(await temporaryFolder(), "state") }, { crypto });
  const server = new PhotinusServer(
    { kit: await opened(project, "hub"), port: 0, drainMs: 200 },
    { storage, clock, crypto, logger: silentLogger },
  );
  const { socketUrl } = await server.start();
  onTestFinished(async () => {
    await server.stop();
    await storage.close();
  });
  return socketUrl;
}

test("the example follows a job with the kit that provisioning made, and the tracker gets each round", async () => {
  const project = await createProject(DEFINITION, { crypto, clock });
  const url = await running(project);
  const { identity, root } = await opened(project, "north");
  const common = { project: "clinic", root: root.der, serverName: "hub" };
  const connector = webSocketConnector({ url });
  const site = new Site(
    { ...common, identity, dataNames: ["line"], runtime: "node", reconnect: { firstMs: 10 } },
    {
      ...{ connector, clock, crypto, logger: silentLogger },
      random: { bytes: (length) => crypto.randomBytes(length) },
      privacy: publicPrivacy(),
      createTrainer: () => linearTrainer(linearData("north")),
      decideJob: async () => "accept",
    },
  );
  onTestFinished(() => site.stop());
  site.start();
  const ada = await opened(project, "ada@example.org");
  const user = await connect({ kit: ada, transport: { connector, clock, crypto } });
  onTestFinished(() => user.close());
  const { jobId } = await user.submit(aLinearJob({ rounds: 3 }));
  const folder = await temporaryFolder();
  const kit = project.kits.get("tracker");
  if (kit === undefined) throw new Error("no kit for the adapter");
  await writeKitFolder(join(folder, "kit"), kit.files);
  await writeFile(join(folder, "secret"), kit.secret, { mode: 0o600 });
  const tracker = await aTracker();

  await runAdapter(
    {
      kit: join(folder, "kit"),
      passphraseFile: join(folder, "secret"),
      job: jobId,
      tracker: tracker.url,
      server: url,
    },
    never,
  );

  expect(kit.role).toBe("adapter");
  expect(tracker.posted).toHaveLength(4);
  expect(tracker.posted.slice(0, 3)).toMatchObject(
    [1, 2, 3].map((step) => ({ run: jobId, step, metrics: { sites: 1 } })),
  );
  expect(tracker.posted[3]).toEqual({ run: jobId, state: "finished" });
});
