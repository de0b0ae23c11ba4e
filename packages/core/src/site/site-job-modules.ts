import type { Clock, CryptoProvider, Logger } from "../platform/index.ts";
import type { PluginHost } from "../plugin/index.ts";
import type { Session } from "../session/index.ts";
import type { BlobInbox } from "./blob-inbox.ts";
import type { PrivacyModules } from "./job-privacy.ts";
import type { ParameterStore } from "./local/index.ts";
import type { SiteModules } from "./options.ts";
import type { ResourcePool } from "./resources/index.ts";
import type { StatusBoard } from "./status-board.ts";

/** What the jobs of a site share. */
export interface SiteJobModules {
  readonly siteName: string;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly inbox: BlobInbox;
  readonly board: StatusBoard;
  readonly pool: ResourcePool;
  readonly privacy: PrivacyModules;
  /** What the site keeps of jobs beside the shared model. */
  readonly parameters: ParameterStore;
  readonly plugins: PluginHost;
  readonly createTrainer: SiteModules["createTrainer"];
  readonly decideJob: SiteModules["decideJob"];
  /** The session now; `undefined` while there is none. */
  readonly session: () => Session | undefined;
}
