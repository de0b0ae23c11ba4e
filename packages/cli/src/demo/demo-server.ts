import { join } from "node:path";
import { AuditBrokenError, verifyChain } from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import { type ProvisionedProject, type StartupKit, throwAwayProject } from "@photinus/core/provision";
import {
  nodeCrypto,
  openHostKit,
  pinoLogger,
  spareFullCollections,
  systemClock,
} from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import type { DemoNetwork } from "./network.ts";
import type { AuditReport } from "./report.ts";

/** Options of {@link startDemoServer}. */
export interface DemoServerOptions {
  /** Folder of this run; the state goes below it. */
  readonly folder: string;
  readonly sites: number;
  readonly network: DemoNetwork;
  readonly port: number;
  /** Folder of the built pages, maybe not built yet. */
  readonly pages: Promise<string> | undefined;
  /** Folder of the data that pages may take. */
  readonly demo: string;
}

/** The server of a demo, in this process. */
export interface DemoServer {
  readonly project: ProvisionedProject;
  /** Address of the socket for processes on this machine. */
  readonly socketUrl: string;
  /** Link to the dashboard with a read-only token of this run in its fragment. */
  readonly dashboard: string;
  /** Link by which a page joins: a secret. */
  readonly join: string;
  /** Names of the pages that are connected as sites. */
  guests(): readonly string[];
  /** Recomputes the chain of all records. */
  verifyAudit(): Promise<AuditReport>;
  /** Stops and closes everything. */
  stop(): Promise<void>;
}

/** Guests that may join by the link of one run. */
const GUESTS = 16;
const DAY_MS = 86_400_000;

/** @throws HostError `ERR_CONFIG_INVALID` when the project has no such kit */
export function kitOf({ kits }: ProvisionedProject, name: string): StartupKit {
  const kit = kits.get(name);
  if (kit === undefined) throw new HostError("ERR_CONFIG_INVALID", `the project has no kit for ${name}`);
  return kit;
}

/**
 * Makes a throw-away project and starts its server.
 * @throws HostError `ERR_PORT_IN_USE`, `ERR_ADDRESS_UNUSABLE`
 */
export async function startDemoServer(options: DemoServerOptions): Promise<DemoServer> {
  const { network, port } = options;
  spareFullCollections();
  const clock = systemClock();
  const crypto = nodeCrypto();
  const { hosts, security } = network;
  const [project, storage] = await Promise.all([
    throwAwayProject({ sites: options.sites, port, hosts, security }, { crypto, clock }),
    openStorage({ folder: join(options.folder, "server") }, { crypto }),
  ]);
  const serverKit = kitOf(project, project.definition.server.name);
  const { kit, tls } = await openHostKit(serverKit.files, serverKit.secret);
  const server = new PhotinusServer(
    {
      kit,
      host: network.host,
      port,
      demo: options.demo,
      ...(security === "tls" ? { tls } : {}),
      ...(options.pages === undefined ? {} : { pages: options.pages }),
    },
    { storage, clock, crypto, logger: pinoLogger({ name: "server", level: "warn" }) },
  );
  await server.start();
  const fragment = await server.invite({ org: "demo", uses: GUESTS, expiresAtMs: clock.now() + DAY_MS });
  const token = server.tokens.issue({ kind: "server" });
  const [scheme, socketScheme] = security === "tls" ? ["https", "wss"] : ["http", "ws"];
  const origin = `${scheme}://${hosts[0]}:${port}`;
  return {
    project,
    socketUrl: `${socketScheme}://127.0.0.1:${port}/ws`,
    dashboard: `${origin}/#token=${token}`,
    join: `${origin}/join#${fragment}`,
    guests() {
      const pages = server.coordinator.sites().filter(({ runtime }) => runtime === "browser");
      return pages.map(({ name }) => name);
    },
    async verifyAudit() {
      try {
        return { records: (await verifyChain(crypto, storage.audit.read())).count, verified: true };
      } catch (error) {
        if (!(error instanceof AuditBrokenError)) throw error;
        return { records: error.sequence, verified: false };
      }
    },
    async stop() {
      await server.stop();
      await storage.close();
    },
  };
}
