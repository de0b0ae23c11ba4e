import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type Federation } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import { type OpenedKit, openKit, type ProvisionedProject, throwAwayProject } from "@photinus/core/provision";
import { Site, type Trainer } from "@photinus/core/site";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import {
  type EmbeddedStorage,
  type HostAddress,
  openStorage,
  PhotinusServer,
  type PhotinusServerOptions,
} from "@photinus/node-server";
import { onTestFinished } from "vitest";

/** MNIST as it lies in the repository. */
export const MNIST: string = fileURLToPath(new URL("../../demos/mnist/", import.meta.url));

const clock = systemClock();
const crypto = nodeCrypto();

/** A temporary folder, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The kit of a participant, opened. */
export async function openKitOf({ kits }: ProvisionedProject, name: string): Promise<OpenedKit> {
  const kit = kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return openKit(kit.files, { nowMs: Date.now(), secret: kit.secret }, { crypto });
}

/** A running server with its project; everything stops when the test ends. */
export interface RunningFederation {
  readonly project: ProvisionedProject;
  readonly server: PhotinusServer;
  readonly address: HostAddress;
  readonly storage: EmbeddedStorage;
  /** Starts a site of the project in this process, over a real socket. */
  startSite(name: string, createTrainer: () => Trainer, kit?: OpenedKit): Promise<Site>;
  /** Connects as the project's user. */
  connectUser(): Promise<Federation>;
  /** Stops the server and starts another on the same state at the same port. */
  restart(): Promise<RunningFederation>;
}

/** A throw-away project with a server on a free loopback port. */
export async function aFederation(
  sites: number,
  options: Partial<PhotinusServerOptions> = {},
): Promise<RunningFederation> {
  const project = await throwAwayProject({ sites, port: 8080 }, { crypto, clock });
  return await serve(project, join(await temporaryFolder(), "state"), options);
}

async function serve(
  project: ProvisionedProject,
  state: string,
  options: Partial<PhotinusServerOptions>,
): Promise<RunningFederation> {
  const storage = await openStorage({ folder: state }, { crypto });
  const kit = await openKitOf(project, "hub");
  const server = new PhotinusServer(
    { kit, port: 0, drainMs: 500, ...options },
    { storage, clock, crypto, logger: silentLogger },
  );
  const address = await server.start();
  const stop = async (): Promise<void> => {
    await server.stop();
    await storage.close();
  };
  onTestFinished(stop);
  const connector = webSocketConnector({ url: address.socketUrl });
  const common = { project: "demo", serverName: "hub" };
  return {
    project,
    server,
    address,
    storage,
    async startSite(name, createTrainer, ownKit) {
      const { identity, root } = ownKit ?? (await openKitOf(project, name));
      const reconnect = { firstMs: 20, longestMs: 100 };
      const site = new Site(
        { ...common, identity, root: root.der, dataNames: ["mnist"], runtime: "node", reconnect },
        {
          ...{ connector, clock, crypto, logger: silentLogger, createTrainer },
          random: { bytes: (length) => crypto.randomBytes(length) },
          privacy: publicPrivacy(),
          decideJob: async () => "accept",
        },
      );
      onTestFinished(() => site.stop());
      site.start();
      return site;
    },
    async connectUser() {
      const kit = await openKitOf(project, "demo@example.org");
      const federation = await connect({ kit, transport: { connector, clock, crypto } });
      onTestFinished(() => federation.close());
      return federation;
    },
    async restart() {
      await stop();
      return await serve(project, state, { ...options, port: address.port });
    },
  };
}
