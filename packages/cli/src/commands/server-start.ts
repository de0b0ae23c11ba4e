import { nodeCrypto, pem, pinoLogger, systemClock } from "@photinus/node-platform";
import { openStorage, PhotinusServer, type TlsOptions } from "@photinus/node-server";
import type { CommandContext } from "../context.ts";
import { aborted } from "../interruption.ts";
import { type KitOfHost, type KitOptions, openKitFolder } from "./open-kit-folder.ts";

/** Options of `photinus server start`. */
export interface ServerStartOptions extends KitOptions {
  /** Folder for records and models. */
  readonly state: string;
  /** Address to listen at. */
  readonly host: string;
  readonly port: number;
  /** No TLS of its own. */
  readonly clear?: boolean;
  /** False: serve no pages. */
  readonly pages: boolean;
}

function tlsOf({ kit, tls }: KitOfHost, { clear = false }: ServerStartOptions): TlsOptions | undefined {
  if (clear || kit.configuration.security === "clear") return undefined;
  const clientRoot =
    kit.configuration.security === "mtls" ? { clientRoot: pem("CERTIFICATE", kit.root.der) } : {};
  return { ...tls, ...clientRoot };
}

/** Runs a server until it is told to stop. */
export async function startServer(
  options: ServerStartOptions,
  { terminal, signal, pages }: CommandContext,
): Promise<void> {
  const ofHost = await openKitFolder(options);
  const logger = pinoLogger({ name: "server" });
  const crypto = nodeCrypto();
  const storage = await openStorage({ folder: options.state }, { crypto });
  try {
    const tls = tlsOf(ofHost, options);
    const folder = options.pages ? pages() : undefined;
    const server = new PhotinusServer(
      {
        kit: ofHost.kit,
        host: options.host,
        port: options.port,
        ...(tls === undefined ? {} : { tls }),
        ...(folder === undefined ? {} : { pages: folder }),
      },
      { storage, clock: systemClock(), crypto, logger },
    );
    const address = await server.start();
    const token = server.tokens.issue({ kind: "server" });
    terminal.line(`Photinus server at ${address.socketUrl}`);
    if (folder !== undefined) terminal.line(`dashboard ${address.origin}/#token=${token}`);
    await aborted(signal);
    terminal.note("stopping");
    await server.stop();
    terminal.result({ stopped: true });
  } finally {
    await storage.close();
  }
}
