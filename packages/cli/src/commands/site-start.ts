import { join } from "node:path";
import { PkiError } from "@photinus/core/errors";
import { encodePem } from "@photinus/core/pki";
import { KIT_FILE, LOCAL_FOLDER } from "@photinus/core/provision";
import type { Site } from "@photinus/core/site";
import { nodeSite } from "@photinus/node-client";
import {
  nodeCrypto,
  pinoLogger,
  replaceFile,
  spareFullCollections,
  systemClock,
} from "@photinus/node-platform";
import { chooseProxy } from "../choose-proxy.ts";
import type { CommandContext } from "../context.ts";
import { aborted } from "../interruption.ts";
import { credentialsOf } from "../local-settings.ts";
import { type KitOptions, openSiteFolder } from "./open-kit-folder.ts";

/** Options of `photinus site start`. */
export interface SiteStartOptions extends KitOptions {
  /** Data folder of the site. */
  readonly data: string;
  /** Folder for what the site has to remember. */
  readonly state?: string;
  /** Address of the server's socket. */
  readonly server?: string;
  /** Address of an HTTP proxy, or "none"; by default what the environment says. */
  readonly proxy?: string;
  readonly device?: "auto" | "cpu" | "cuda" | "webgpu";
  /** Threads of ONNX Runtime. */
  readonly threads?: number;
  /** Stop when standard input ends. */
  readonly untilStdinCloses?: boolean;
}

/** Resolves when standard input ends: whoever started this process is gone. */
function stdinClosed(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.once("end", resolve).once("error", resolve).once("close", resolve).resume();
  });
}

/** Rejects when the site's certificate was revoked: it makes no further attempt. The kit stays as it is. */
function refusedForGood(site: Site): Promise<never> {
  return new Promise((_, reject) => {
    site.watch(({ activity, retryAtMs, fault }) => {
      if (activity !== "refused" || retryAtMs !== undefined || fault?.code !== "ERR_REVOKED") return;
      reject(new PkiError("ERR_REVOKED", "the certificate of this site was revoked"));
    });
  });
}

/** Runs a site until it is told to stop. @throws PkiError `ERR_REVOKED` */
export async function startSite(
  options: SiteStartOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  spareFullCollections();
  const { kit, tls, hasEnrolled } = await openSiteFolder(options);
  const { server, device, threads } = options;
  const credentials = await credentialsOf(options.kit, (text) => terminal.line(text));
  const site = await nodeSite(
    {
      kit,
      tls,
      dataFolder: options.data,
      stateFolder: options.state ?? join(options.kit, LOCAL_FOLDER, "state"),
      proxyOf: chooseProxy(options.proxy),
      ...(server === undefined ? {} : { server }),
      ...(device === undefined ? {} : { device }),
      ...(threads === undefined ? {} : { threads }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(hasEnrolled
        ? {
            keepCertificate: (chain) =>
              replaceFile(join(options.kit, KIT_FILE.certificate), encodePem("CERTIFICATE", ...chain)),
          }
        : {}),
    },
    { clock: systemClock(), crypto: nodeCrypto(), logger: pinoLogger({ name: kit.configuration.name }) },
  );
  const refused = refusedForGood(site);
  refused.catch(() => undefined); // it may come while the site stops
  site.start();
  terminal.line(`Photinus site ${kit.configuration.name} for project ${kit.configuration.project}`);
  try {
    await Promise.race([aborted(signal), refused, ...(options.untilStdinCloses ? [stdinClosed()] : [])]);
  } finally {
    await site.stop();
  }
  terminal.result({ stopped: true });
}
