import type { Clock, Connector, CryptoProvider, Logger } from "@photinus/core/platform";
import type { Plugin } from "@photinus/core/plugin";
import type { Trainer } from "@photinus/core/site";
import type { IdentityStore } from "../identity-store.ts";
import type { BrowserDevice, DeviceReport, SiteDataFiles, SiteNews } from "../site-port/index.ts";

/** What trains in this browser. */
export interface BrowserTrainers {
  /** Starts a worker that trains on `data`, which it gets a copy of. */
  start(data: SiteDataFiles, device: BrowserDevice | "fastest"): Trainer;
  /** Times a few training steps on each provider, or on one. */
  check(device: BrowserDevice | "fastest"): Promise<DeviceReport>;
}

/** What a {@link SiteHost} works with. */
export interface SiteHostModules {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connector: Connector;
  readonly store: IdentityStore;
  readonly trainers: BrowserTrainers;
  /** Code of whoever embeds the site. Default: none. */
  readonly plugins?: readonly Plugin[];
  /** Tells the page. */
  readonly tell: (news: SiteNews) => void;
}
