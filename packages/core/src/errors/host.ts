import type { ErrorDefinition } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link HostError}. */
export type HostErrorCode =
  | "ERR_CONFIG_INVALID"
  | "ERR_PORT_IN_USE"
  | "ERR_ADDRESS_UNUSABLE"
  | "ERR_CHROMIUM_MISSING"
  | "ERR_CLEAR_NOT_LOOPBACK";

/** What the codes mean, of hosts: configuration, ports and files. */
export const HOST_ERRORS: Readonly<Record<HostErrorCode, ErrorDefinition>> = {
  ERR_CONFIG_INVALID: { action: "stop", remedy: "Correct the named option." },
  ERR_PORT_IN_USE: {
    action: "stop",
    remedy: "Stop the program that uses the port, or choose another with --port.",
  },
  ERR_ADDRESS_UNUSABLE: { action: "stop", remedy: "Choose an address of this machine." },
  ERR_CHROMIUM_MISSING: { action: "stop", remedy: "Install Chromium, or set CHROMIUM_PATH." },
  ERR_CLEAR_NOT_LOOPBACK: {
    action: "stop",
    remedy: "Serve pages off loopback by TLS: pass --lan or configure a certificate.",
  },
};

/** A fault of hosts: configuration, ports and files. */
export class HostError extends PhotinusError<HostErrorCode> {}
