import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "@photinus/core/bytes";
import { connect, type Federation } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import { connectSession } from "@photinus/core/session";
import { Site } from "@photinus/core/site";
import { serverConnector } from "@photinus/node-client";
import { type KitOfHost, nodeCrypto, systemClock } from "@photinus/node-platform";
import { type EmbeddedStorage, openStorage, PhotinusServer } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { openKitFolder } from "../../packages/cli/src/commands/open-kit-folder.ts";
import { serverTls } from "../../packages/cli/src/commands/server-tls.ts";
import { temporaryFolder } from "./a-federation.ts";
import { photinus } from "./run-photinus.ts";
import { scriptedTrainer, smallJob } from "./scripted-trainer.ts";

// Kits in folders as administrators have them, a real server with TLS, real sockets.

const DEFINITION = `
name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443 }
sites:
  - { name: site-1, org: north, security: mtls }
  - { name: site-2, org: south, security: mtls }
users:
  - { name: alice@example.org, org: central, role: lead }
`;

const crypto = nodeCrypto();
const clock = systemClock();

/** Provisions into `folder`; again with what `options` say. @returns the folder */
async function provision(folder: string, definition: string, ...options: string[]): Promise<string> {
  await writeFile(`${folder}.yml`, definition);
  await photinus("provision", `${folder}.yml`, "-o", folder, ...options);
  return folder;
}

interface Hub {
  /** Folder of the project. */
  readonly project: string;
  /** Folder of the kit that the server runs by. */
  readonly kit: string;
  readonly server: PhotinusServer;
  readonly storage: EmbeddedStorage;
  readonly url: string;
  /** Puts the server's kit of a project's folder in place of the one it runs by, with its secret. */
  readonly place: (project: string) => Promise<void>;
}

async function aHub(): Promise<Hub> {
  const base = await temporaryFolder();
  const project = await provision(join(base, "fl"), DEFINITION);
  const kit = join(base, "hub");
  const options = { kit, passphraseFile: join(base, "hub.secret") };
  const place = async (from: string): Promise<void> => {
    await cp(join(from, "kits", "hub"), kit, { recursive: true });
    await cp(join(from, "secrets", "hub"), options.passphraseFile);
  };
  await place(project);
  const storage = await openStorage({ folder: join(base, "state") }, { crypto });
  const ofHost = await openKitFolder(options);
  const { tls, source } = await serverTls(ofHost, options);
  const server = new PhotinusServer(
    { kit: ofHost.kit, port: 0, drainMs: 500, kitSource: source, ...(tls === undefined ? {} : { tls }) },
    { storage, clock, crypto, logger: silentLogger },
  );
  const { socketUrl: url } = await server.start();
  onTestFinished(async () => {
    await server.stop();
    await storage.close();
  });
  return { project, kit, server, storage, url, place };
}

const kitOf = ({ project }: Hub, name: string): Promise<KitOfHost> =>
  openKitFolder({ kit: join(project, "kits", name), passphraseFile: join(project, "secrets", name) });

async function whoseOf(hub: Hub, name: string) {
  const { kit, tls } = await kitOf(hub, name);
  const { identity, root, configuration } = kit;
  const who = { identity, project: configuration.project, root: root.der, serverName: "hub" };
  return { kit, who, connector: serverConnector({ kit, tls, server: hub.url }) };
}

async function startSite(hub: Hub, name: string, train: () => number | Promise<number>): Promise<Site> {
  const { who, connector } = await whoseOf(hub, name);
  const site = new Site(
    { ...who, dataNames: ["mnist"], runtime: "node", reconnect: { firstMs: 20, longestMs: 100 } },
    {
      ...{ connector, clock, crypto, logger: silentLogger, createTrainer: scriptedTrainer(train) },
      random: { bytes: (length) => crypto.randomBytes(length) },
      privacy: publicPrivacy(),
      decideJob: async () => "accept",
    },
  );
  onTestFinished(() => site.stop());
  site.start();
  return site;
}

async function connectUser(hub: Hub): Promise<Federation> {
  const { kit, connector } = await whoseOf(hub, "alice@example.org");
  const user = await connect({ kit, transport: { connector, clock, crypto } });
  onTestFinished(() => user.close());
  return user;
}

/** Digest of the certificate that the server's handshake shows, over mTLS. */
async function shownBy(hub: Hub): Promise<string> {
  const { who, connector } = await whoseOf(hub, "site-2");
  const session = await connectSession(await connector.connect(new AbortController().signal), who, {
    crypto,
    clock,
  });
  await session.close("ERR_GOING_AWAY", "");
  return toHex(session.peer.leafDigest);
}

function signal() {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

async function leafIn(project: string): Promise<string> {
  const kit = { kit: join(project, "kits", "hub"), passphraseFile: join(project, "secrets", "hub") };
  return toHex((await openKitFolder(kit)).kit.identity.participant.leafDigest);
}

async function recorded({ storage }: Hub): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { event } of storage.audit.read()) {
    if (event.action === "kit") found.push(`${event.object} ${event.outcome} ${event.reason}`.trim());
  }
  return found;
}

test("a renewed kit is taken while the server runs: new handshakes show it, and a job in mid-round goes on", async () => {
  const hub = await aHub();
  const before = await leafIn(hub.project);
  const user = await connectUser(hub);
  const [training, released] = [signal(), signal()];
  const first = await startSite(hub, "site-1", async () => {
    training.give();
    await released.given;
    return 0.5;
  });
  const job = await user.submit(smallJob(2, 1));
  await training.given;
  expect(await shownBy(hub)).toBe(before);

  await provision(hub.project, DEFINITION, "--renew", "hub");
  await hub.place(hub.project);

  const after = await leafIn(hub.project);
  expect(after).not.toBe(before);
  await expect.poll(() => shownBy(hub), { timeout: 10_000 }).toBe(after); // nobody told the server: it looks
  await startSite(hub, "site-2", () => 0.5); // its session is of the certificate after, what is out of either
  released.give();
  const view = await job.ended();
  const { model } = await job.result(); // signed by the one after, over a session of the one before
  expect([view?.state, view?.sites.length]).toEqual(["finished", 2]);
  expect([...(model.get("w")?.f32 ?? [])]).toEqual(new Array(8).fill(1));
  expect(first.status.fault).toBeUndefined();
  expect((await recorded(hub)).at(-1)).toBe("hub accepted");
});

test("a secret in the kit's own folder opens a renewed kit where the one from the start does not", async () => {
  const hub = await aHub();
  await provision(hub.project, DEFINITION, "--renew", "hub");
  await cp(join(hub.project, "kits", "hub"), hub.kit, { recursive: true });

  expect(await hub.server.reloadKit()).toBe(false);
  await cp(join(hub.project, "secrets", "hub"), join(hub.kit, "local", "secret"));
  expect(await hub.server.reloadKit()).toBe(true);

  expect(await shownBy(hub)).toBe(await leafIn(hub.project));
  expect((await recorded(hub)).at(-1)).toBe("hub accepted");
  expect(await recorded(hub)).toContain("hub refused ERR_KEY_UNREADABLE");
});

test.each([
  [
    "of another root",
    "ERR_KIT_FOREIGN",
    async (hub: Hub) => hub.place(await provision(`${hub.project}2`, DEFINITION)),
  ],
  [
    "of an organization that changed",
    "ERR_KIT_FOREIGN",
    async (hub: Hub) =>
      hub.place(await provision(hub.project, DEFINITION.replace("hub, org: central", "hub, org: north"))),
  ],
  [
    "with another storage key",
    "ERR_STORAGE_KEY_OTHER",
    async (hub: Hub) =>
      hub.place(await provision(hub.project, DEFINITION, "--renew", "hub", "--new-server-keys")),
  ],
  [
    "with a file that was changed",
    "ERR_KIT_FILE_CHANGED",
    async ({ kit }: Hub) =>
      writeFile(
        join(kit, "config.json"),
        (await readFile(join(kit, "config.json"), "utf8")).replace("8443", "8444"),
      ),
  ],
])("a kit %s is refused with its code and recorded; the old identity goes on", async (_what, code, put) => {
  const hub = await aHub();
  const before = await shownBy(hub);

  await put(hub);

  expect(await hub.server.reloadKit()).toBe(false);
  expect(await shownBy(hub)).toBe(before);
  expect((await recorded(hub)).at(-1)).toBe(`hub refused ${code}`);
});
