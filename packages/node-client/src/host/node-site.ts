import { join } from "node:path";
import { requireRecordedLedgers } from "@photinus/core/accounting";
import type { AuditChain } from "@photinus/core/audit";
import type { PolicySource } from "@photinus/core/authorization";
import { type Bytes, toHex } from "@photinus/core/bytes";
import { openLastingObjects } from "@photinus/core/envelope";
import type { PrivacySource } from "@photinus/core/filter";
import { RevocationLists } from "@photinus/core/pki";
import type { Clock, CryptoProvider, Logger } from "@photinus/core/platform";
import { type Plugin, PluginHost } from "@photinus/core/plugin";
import type { EnrolledKit } from "@photinus/core/provision";
import type { CredentialSource } from "@photinus/core/session";
import { type ResourceSource, Site, type SiteLimits, type SiteOptions } from "@photinus/core/site";
import { revocationFolder, type TlsIdentity } from "@photinus/node-platform";
import { type DeviceChoice, startNodeTrainer } from "../trainer/index.ts";
import { dataNamesIn } from "./data-names.ts";
import { objectFolder } from "./object-folder.ts";
import { parameterFolder } from "./parameter-folder.ts";
import { serverConnector } from "./server-connector.ts";
import { spendingFolder } from "./spending-folder.ts";

/** Options of {@link nodeSite}. */
export interface NodeSiteOptions {
  /** The site's kit, opened; or what it has got by enrolling. */
  readonly kit: EnrolledKit;
  /** Certificate and key of the kit for TLS. */
  readonly tls: TlsIdentity;
  /** Folder with the site's data: each set described by `<name>.json`. */
  readonly dataFolder: string;
  /** Folder for what the site has to remember beyond this process, such as revocation lists, jobs and spent
   * budgets; made when missing. */
  readonly stateFolder?: string;
  /** Address of the server's socket in place of those in the kit. */
  readonly server?: string;
  /** Address of the HTTP proxy to reach an address of the server through. Default: none. */
  readonly proxyOf?: (url: string) => string | undefined;
  /** Device to train on. Default: CUDA where it works, else the CPU. */
  readonly device?: DeviceChoice;
  /** Threads of one operator on the CPU. Default 1. */
  readonly threads?: number;
  /** What a job may ask of this site. */
  readonly limits?: Partial<SiteLimits>;
  /** Whose jobs this site takes. Default: the default policy. */
  readonly policy?: PolicySource;
  /** Scopes, filters and budgets: `privacy.json` of now. Without a valid policy no job is taken and nothing leaves. */
  readonly privacy: PrivacySource;
  /** What the host has for jobs: `resources.json` of now. Default: nothing that jobs may ask for. */
  readonly resources?: ResourceSource;
  /** Code of the site's owner: asked before things happen, told of what happened. Default: none. */
  readonly plugins?: readonly Plugin[];
  /** Where the site records what it decides. Default: nowhere. */
  readonly audit?: AuditChain;
  /** Where a credential comes from that the server wants beside the certificate. Default: nowhere. */
  readonly credentials?: CredentialSource;
  /** Keeps the next certificates of a site that enrolled, leaf first. Default: for the life of the process. */
  readonly keepCertificate?: (chain: readonly Bytes[]) => Promise<void>;
}

/** What a site on Node works with. */
export interface NodeSiteModules {
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Where log lines go. */
  readonly logger: Logger;
}

/**
 * A site on Node: session in this thread, training in a worker. Whoever runs it chose the server and holds the data,
 * so jobs whose submitter the site's policy admits and that stay within the limits are taken.
 *
 * @returns not started yet
 * @throws TrainingError `ERR_DATA_MISSING` when the folder describes no data set; StorageError
 *   `ERR_SEEN_OBJECTS_CORRUPT` when the state folder does not tell what was seen: then no job may be taken; `ERR_BUDGET_BEHIND`
 *   when a ledger of what was spent is behind the audit records
 */
export async function nodeSite(options: NodeSiteOptions, modules: NodeSiteModules): Promise<Site> {
  const { kit, dataFolder, stateFolder, device = "auto", threads = 1, limits } = options;
  const { project, server } = kit.configuration;
  const root = toHex(kit.root.digest);
  const store =
    stateFolder === undefined ? {} : { store: revocationFolder(join(stateFolder, "revocation", root)) };
  const records =
    stateFolder === undefined
      ? undefined
      : objectFolder(join(stateFolder, "objects", root, kit.identity.participant.name));
  const spending =
    stateFolder === undefined
      ? undefined
      : spendingFolder(join(stateFolder, "privacy", root, kit.identity.participant.name));
  if (spending !== undefined && options.audit !== undefined)
    await requireRecordedLedgers({ audit: options.audit.store, spending, crypto: modules.crypto });
  return new Site(
    {
      identity: kit.identity,
      project,
      root: kit.root.der,
      serverName: server.name,
      dataNames: await dataNamesIn(dataFolder),
      runtime: "node",
      ...placeOf(kit),
      ...(limits === undefined ? {} : { limits }),
    },
    {
      ...modules,
      connector: serverConnector(options),
      random: { bytes: (length) => modules.crypto.randomBytes(length) },
      createTrainer: () => startNodeTrainer({ dataFolder, device, threads }),
      decideJob: async () => "accept",
      ...(options.keepCertificate === undefined ? {} : { keepCertificate: options.keepCertificate }),
      privacy: options.privacy,
      ...(spending === undefined ? {} : { spending }),
      ...(stateFolder === undefined
        ? {}
        : {
            parameters: parameterFolder(join(stateFolder, "parameters", root, kit.identity.participant.name)),
          }),
      ...(options.policy === undefined ? {} : { policy: options.policy }),
      ...(options.resources === undefined ? {} : { resources: options.resources }),
      plugins: pluginHost(options, modules),
      ...(options.audit === undefined ? {} : { audit: options.audit }),
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      revocations: new RevocationLists({ project, root: kit.root.der }, { ...modules, ...store }),
      ...(records === undefined ? {} : { objects: await openLastingObjects({ ...modules, records }) }),
    },
  );
}

/** Only a kit that the project signed says of which studies a site is, and where: the invite of another is at the server. */
function placeOf({ identity, configuration }: EnrolledKit): Pick<SiteOptions, "studies" | "jurisdiction"> {
  if (identity.participant.chain.length > 1) return {};
  const { studies = [], jurisdiction } = configuration;
  return { studies, ...(jurisdiction === undefined ? {} : { jurisdiction }) };
}

function pluginHost({ plugins = [], audit }: NodeSiteOptions, modules: NodeSiteModules): PluginHost {
  return new PluginHost(plugins, { ...modules, ...(audit === undefined ? {} : { audit }) });
}
