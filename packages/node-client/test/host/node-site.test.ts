import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import { openKit, throwAwayProject } from "@photinus/core/provision";
import { dataNamesIn, nodeSite, serverConnector } from "@photinus/node-client";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";

const crypto = nodeCrypto();
const never = new AbortController().signal;
/** TLS is not spoken in these tests. */
const tls = { certificate: "", privateKey: "" };

async function folder(...files: string[]): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  for (const file of files) await writeFile(join(path, file), "{}");
  return path;
}

async function aKit(addresses?: readonly string[]) {
  const project = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock: systemClock() });
  const { files, secret } = project.kits.get("site-1")!;
  const kit = await openKit(files, { nowMs: Date.now(), secret }, { crypto });
  if (addresses === undefined) return kit;
  const server = { ...kit.configuration.server, addresses };
  return { ...kit, configuration: { ...kit.configuration, server } };
}

/** The address of a socket server on loopback. */
async function aServer(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new WebSocketServer({ server });
  onTestFinished(() => {
    for (const client of sockets.clients) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

test("a folder offers the data sets that it describes, by name", async () => {
  const path = await folder("mnist.json", "chest-x-ray.json", "notes.txt", "Upper.json", ".hidden.json");
  await mkdir(join(path, "images"));

  expect(await dataNamesIn(path)).toEqual(["chest-x-ray", "mnist"]);
});

test("a folder that describes nothing, or is not there, is an error that names it", async () => {
  const empty = await folder("readme.txt");

  for (const path of [empty, join(empty, "missing")]) {
    await expect(dataNamesIn(path)).rejects.toMatchObject({
      code: "ERR_DATA_MISSING",
      message: expect.stringContaining(path),
    });
  }
});

test("a site without data does not start", async () => {
  const options = { kit: await aKit(), tls, dataFolder: await folder(), privacy: publicPrivacy() };

  await expect(
    nodeSite(options, { clock: systemClock(), crypto, logger: silentLogger }),
  ).rejects.toMatchObject({ code: "ERR_DATA_MISSING" });
});

test("the addresses of the kit are tried in order", async () => {
  const kit = await aKit(["ws://127.0.0.1:1/ws", await aServer()]);

  const connection = await serverConnector({ kit, tls }).connect(never);

  expect(connection.remoteAddress).toBe(new URL(kit.configuration.server.addresses[1]!).host);
  connection.close(1000, "");
});

test("an address that is given takes the place of those in the kit", async () => {
  const kit = await aKit(["ws://127.0.0.1:1/ws"]);

  const connection = await serverConnector({ kit, tls, server: await aServer() }).connect(never);

  connection.close(1000, "");
});

test("when no address answers, each says why", async () => {
  const kit = await aKit(["ws://127.0.0.1:1/ws", "ws://127.0.0.1:2/ws"]);

  await expect(serverConnector({ kit, tls }).connect(never)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringMatching(/127\.0\.0\.1:1\/ws.*ECONNREFUSED.*127\.0\.0\.1:2\/ws.*ECONNREFUSED/),
  });
});

test("a stop during the attempts is not held up by the addresses that are left", async () => {
  const kit = await aKit(["ws://127.0.0.1:1/ws"]);

  await expect(
    serverConnector({ kit, tls }).connect(AbortSignal.abort(new Error("stopped"))),
  ).rejects.toThrow("stopped");
});
