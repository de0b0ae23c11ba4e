import type { Clock, CryptoProvider } from "@photinus/core/platform";
import type { KitFiles, VerifiedKit } from "@photinus/core/provision";
import type { SiteFolder } from "../commands/open-kit-folder.ts";
import type { Finding } from "./finding.ts";

/** What is looked at. */
export interface Subject {
  /** Folder of the kit. */
  readonly folder: string;
  /** Its files as they lie there. */
  readonly files: KitFiles;
  /** The kit, when every file is as signed; of a site that enrolled, what its folder says. */
  readonly kit: Pick<VerifiedKit, "configuration" | "root"> | undefined;
  /** The kit with its keys, when its secret was given and fits. */
  readonly opened: Pick<SiteFolder, "kit" | "tls"> | undefined;
  /** What went wrong when the secret was tried. */
  readonly openError: unknown;
  /** Folder of what the process has to remember. */
  readonly state: string | undefined;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly signal: AbortSignal;
}

/** Looks at one thing on this machine. */
export interface Probe {
  /** Name in the report. */
  readonly name: string;
  /** Looks. Expected faults are findings; what it throws is a failure too. */
  readonly run: (subject: Subject) => Promise<Finding>;
}
