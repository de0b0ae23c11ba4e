import { join } from "node:path";
import { type AuditChain, auditLog } from "@photinus/core/audit";
import { PkiError } from "@photinus/core/errors";
import { encodePem } from "@photinus/core/pki";
import type { Clock, CryptoProvider, Logger } from "@photinus/core/platform";
import {
  KIT_FILE,
  LOCAL_AUTHORIZATION,
  LOCAL_FOLDER,
  LOCAL_PRIVACY,
  LOCAL_RESOURCES,
} from "@photinus/core/provision";
import type { Site } from "@photinus/core/site";
import { AUDIT_FILE, nodeSite, openAuditFile } from "@photinus/node-client";
import {
  lockFolder,
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
import { pluginsOf } from "../plugin-modules.ts";
import { PolicyFile } from "../policy/policy-file.ts";
import { PrivacyFile } from "../policy/privacy-file.ts";
import { ResourcesFile } from "../policy/resources-file.ts";
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

interface SiteModules {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
}

/** What the organization of a site keeps beside its data: whom it admits, what may leave, and what was decided. */
interface SiteRecords {
  readonly policy: PolicyFile;
  readonly privacy: PrivacyFile;
  readonly resources: ResourcesFile;
  readonly audit: AuditChain;
  readonly close: () => Promise<void>;
}

async function openRecords(
  { kit, state }: { readonly kit: string; readonly state: string },
  { clock, crypto, logger }: SiteModules,
): Promise<SiteRecords> {
  const lock = await lockFolder(state);
  const file = await openAuditFile(join(state, AUDIT_FILE), { crypto }).catch(async (error: unknown) => {
    await lock.release();
    throw error;
  });
  const audit = auditLog(file, clock);
  const policy = new PolicyFile(join(kit, LOCAL_AUTHORIZATION), { clock, logger, audit });
  const privacy = new PrivacyFile(join(kit, LOCAL_PRIVACY), { clock, logger, audit });
  const resources = new ResourcesFile(join(kit, LOCAL_RESOURCES), { clock, logger, audit });
  const close = async (): Promise<void> => {
    await policy.stop();
    await privacy.stop();
    await resources.stop();
    await file.close();
    await lock.release();
  };
  try {
    await policy.start();
    await privacy.start();
    await resources.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { policy, privacy, resources, audit, close };
}

/** Runs a site until it is told to stop. @throws PkiError `ERR_REVOKED` */
export async function startSite(
  options: SiteStartOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  spareFullCollections();
  const { kit, tls, hasEnrolled } = await openSiteFolder(options);
  const modules = {
    clock: systemClock(),
    crypto: nodeCrypto(),
    logger: pinoLogger({ name: kit.configuration.name }),
  };
  const state = options.state ?? join(options.kit, LOCAL_FOLDER, "state");
  const credentials = await credentialsOf(options.kit, (text) => terminal.line(text));
  const plugins = await pluginsOf(options.kit);
  const records = await openRecords({ kit: options.kit, state }, modules);
  try {
    const { server, device, threads } = options;
    const site = await nodeSite(
      {
        kit,
        tls,
        dataFolder: options.data,
        stateFolder: state,
        proxyOf: chooseProxy(options.proxy),
        policy: records.policy.source,
        plugins,
        privacy: records.privacy.source,
        resources: records.resources.source,
        audit: records.audit,
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
      modules,
    );
    const until = [aborted(signal), ...(options.untilStdinCloses ? [stdinClosed()] : [])];
    terminal.line(`Photinus site ${kit.configuration.name} for project ${kit.configuration.project}`);
    await runSite(site, until);
  } finally {
    await records.close();
  }
  terminal.result({ stopped: true });
}

/** Runs until one of these resolves or rejects. @throws PkiError `ERR_REVOKED` */
async function runSite(site: Site, until: readonly Promise<unknown>[]): Promise<void> {
  const refused = refusedForGood(site);
  refused.catch(() => undefined); // it may come while the site stops
  site.start();
  try {
    await Promise.race([refused, ...until]);
  } finally {
    await site.stop();
  }
}
