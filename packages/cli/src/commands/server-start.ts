import { open } from "node:fs/promises";
import { join } from "node:path";
import { auditLog } from "@photinus/core/audit";
import {
  type KitConfiguration,
  LOCAL_AUTHORIZATION,
  LOCAL_REVOCATION_LIST,
  LOCAL_REVOKED_SITES,
  LOCAL_ROSTER,
} from "@photinus/core/provision";
import { nodeCrypto, pinoLogger, spareFullCollections, systemClock } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import type { CommandContext } from "../context.ts";
import { aborted } from "../interruption.ts";
import { authenticationOf, clientSecretsOf } from "../local-settings.ts";
import { pluginsOf } from "../plugin-modules.ts";
import { PolicyFile } from "../policy/policy-file.ts";
import { RosterFile } from "../policy/roster-file.ts";
import { withLaterMachines } from "./later-machines.ts";
import { openKitFolder } from "./open-kit-folder.ts";
import { type ServerTlsOptions, serverTls } from "./server-tls.ts";

/** Options of `photinus server start`. */
export interface ServerStartOptions extends ServerTlsOptions {
  /** Folder for records and models. */
  readonly state: string;
  /** Address to listen at. */
  readonly host: string;
  readonly port: number;
  /** Addresses of proxies that are believed about whom they forward, for limits only. */
  readonly trustedProxy?: readonly string[];
  /** Administrators who have to approve a request for a certificate; never fewer than the kit says. */
  readonly approvals?: number;
  /** Connections of these begin with a PROXY header. */
  readonly proxyProtocol?: boolean;
  /** Seconds that a site which was lost in a task may take to come back. */
  readonly reconnectGrace?: number;
  /** File to write a read-only token of the whole server to. */
  readonly tokenFile?: string;
  /** False: serve no pages. */
  readonly pages: boolean;
}

/** The token goes into a file for its owner, or onto a terminal that a person reads; never into a service's log. */
async function handOutToken(
  token: string,
  origin: string,
  { tokenFile, pages }: ServerStartOptions,
): Promise<void> {
  if (tokenFile !== undefined) await writeToken(tokenFile, token);
  else if (pages && process.stdout.isTTY) process.stdout.write(`dashboard ${origin}/#token=${token}\n`);
}

/** A file that was there before may have been for others too. */
async function writeToken(path: string, token: string): Promise<void> {
  const handle = await open(path, "w", 0o600);
  try {
    if ((await handle.stat()).isFile()) await handle.chmod(0o600);
    await handle.writeFile(`${token}\n`);
  } finally {
    await handle.close();
  }
}

/** The project's rule is in the signed kit: whoever starts the server may tighten it only. */
export function approvalsOf(
  { approvals: ofProject = 1 }: Pick<KitConfiguration, "approvals">,
  { approvals = 1 }: Pick<ServerStartOptions, "approvals">,
): 1 | 2 {
  return ofProject === 2 || approvals === 2 ? 2 : 1;
}

/** Runs a server until it is told to stop. */
export async function startServer(
  options: ServerStartOptions,
  { terminal, signal, pages, onHangup }: CommandContext,
): Promise<void> {
  spareFullCollections();
  const ofHost = await openKitFolder(options);
  const logger = pinoLogger({ name: "server" });
  const crypto = nodeCrypto();
  const authentication = await authenticationOf(options.kit);
  const clientSecrets = await clientSecretsOf(options.kit, authentication);
  const plugins = await pluginsOf(options.kit);
  const storage = await openStorage({ folder: options.state }, { crypto });
  const clock = systemClock();
  const policy = new PolicyFile(join(options.kit, LOCAL_AUTHORIZATION), {
    ...{ clock, logger, audit: auditLog(storage.audit, clock) },
  });
  const roster = new RosterFile(join(options.kit, LOCAL_ROSTER), {
    ...{ clock, logger, audit: auditLog(storage.audit, clock) },
  });
  try {
    await policy.start();
    await roster.start();
    const secured = await serverTls(ofHost, options);
    const folder = options.pages ? pages() : undefined;
    const kit = await withLaterMachines(ofHost.kit, options.kit);
    const server = new PhotinusServer(
      {
        kit,
        host: options.host,
        port: options.port,
        policy: policy.source,
        roster: roster.source,
        plugins,
        revocationFile: join(options.kit, LOCAL_REVOCATION_LIST),
        revokedSitesFile: join(options.kit, LOCAL_REVOKED_SITES),
        trustedProxies: options.trustedProxy ?? [],
        requests: { approvals: approvalsOf(kit.configuration, options) },
        proxyProtocol: options.proxyProtocol ?? false,
        ...(secured.tls === undefined ? {} : { tls: secured.tls }),
        kitSource: secured.source,
        ...(folder === undefined ? {} : { pages: folder }),
        ...(options.reconnectGrace === undefined
          ? {}
          : { coordinator: { reconnectGraceMs: options.reconnectGrace * 1000 } }),
        ...(authentication === undefined ? {} : { authentication }),
        ...clientSecrets,
      },
      { storage, clock, crypto, logger },
    );
    roster.watch(() => server.coordinator.rosterChanged());
    const address = await server.start();
    try {
      onHangup(() => void server.reloadKit());
      terminal.line(`Photinus server at ${address.socketUrl}`);
      await handOutToken(server.tokens.issue({ kind: "server" }), address.origin, options);
      await aborted(signal);
      terminal.note("stopping");
    } finally {
      await server.stop();
    }
    terminal.result({ stopped: true });
  } finally {
    await policy.stop();
    await roster.stop();
    await storage.close();
  }
}
