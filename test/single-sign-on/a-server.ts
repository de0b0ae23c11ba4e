import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuditRecord, type AuditStore, type Logger, silentLogger } from "@photinus/core/platform";
import { type OpenedKit, openKit, type ProvisionedProject, throwAwayProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import {
  type AuthenticationSettings,
  openStorage,
  PhotinusServer,
  type PhotinusServerOptions,
} from "@photinus/node-server";

const clock = systemClock();
const crypto = nodeCrypto();

/** A real server on loopback with a throw-away project: `hub`, `site-1`, `demo@example.org`. */
export interface RunningServer {
  readonly origin: string;
  readonly socketUrl: string;
  readonly project: ProvisionedProject;
  readonly server: PhotinusServer;
  /** A kit of the project, opened. */
  readonly kitOf: (name: string) => Promise<OpenedKit>;
  /** What the audit chain says of an action. */
  readonly audited: (action: string) => Promise<readonly AuditRecord["event"][]>;
  readonly stop: () => Promise<void>;
}

/** Parts of a server that a test may put in. */
export interface ServerParts {
  readonly logger?: Logger;
  /** The audit role in place of the one that it is given. */
  readonly auditOf?: (audit: AuditStore) => AuditStore;
}

/** Starts a server with these identity providers. */
export async function aServer(
  authentication: AuthenticationSettings | undefined,
  options: Partial<PhotinusServerOptions> = {},
  { logger = silentLogger, auditOf = (audit) => audit }: ServerParts = {},
): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-sso-"));
  const project = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock });
  const storage = await openStorage({ folder }, { crypto });
  const kitOf = async (name: string): Promise<OpenedKit> => {
    const kit = project.kits.get(name);
    if (kit === undefined) throw new Error(`no kit for ${name}`);
    return await openKit(kit.files, { nowMs: clock.now(), secret: kit.secret }, { crypto });
  };
  const server = new PhotinusServer(
    {
      kit: await kitOf("hub"),
      port: 0,
      ...(authentication === undefined ? {} : { authentication }),
      ...options,
    },
    { storage: { ...storage, audit: auditOf(storage.audit) }, clock, crypto, logger },
  );
  const { origin, socketUrl } = await server.start();
  return {
    origin,
    socketUrl,
    project,
    server,
    kitOf,
    async audited(action) {
      const events = [];
      for await (const { event } of storage.audit.read()) if (event.action === action) events.push(event);
      return events;
    },
    async stop() {
      await server.stop();
      await storage.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
