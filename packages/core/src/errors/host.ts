import type { ErrorDefinition } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link HostError}. */
export type HostErrorCode =
  | "ERR_CONFIG_INVALID"
  | "ERR_TIMED_OUT"
  | "ERR_PORT_IN_USE"
  | "ERR_ADDRESS_UNUSABLE"
  | "ERR_CHROMIUM_MISSING"
  | "ERR_CLEAR_NOT_LOOPBACK"
  | "ERR_NOT_FOUND"
  | "ERR_METHOD_NOT_ALLOWED"
  | "ERR_UPGRADE_REFUSED"
  | "ERR_READ_TOKEN_REFUSED"
  | "ERR_READ_TOKEN_SCOPE";

/** What the codes mean, of hosts: configuration, ports and files. */
export const HOST_ERRORS: Readonly<Record<HostErrorCode, ErrorDefinition>> = {
  ERR_CONFIG_INVALID: { action: "stop", remedy: "Correct the named option." },
  ERR_TIMED_OUT: { action: "stop", remedy: "Give it more time with --timeout; what was begun goes on." },
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
  ERR_NOT_FOUND: { action: "reject", remedy: "Check the address: the server has nothing there." },
  ERR_METHOD_NOT_ALLOWED: { action: "reject", remedy: "Use GET: the HTTP interface is read-only." },
  ERR_UPGRADE_REFUSED: {
    action: "reject",
    remedy: "Open a WebSocket with the subprotocol photinus.v1, from a page of this server or from no page.",
  },
  ERR_READ_TOKEN_REFUSED: {
    action: "reject",
    remedy: "Open the dashboard by the link that the server printed, or ask for a new read-only token.",
  },
  ERR_READ_TOKEN_SCOPE: {
    action: "reject",
    remedy: "Use the read-only token of this job, or one of the whole server.",
  },
};

/** A fault of hosts: configuration, ports and files. */
export class HostError extends PhotinusError<HostErrorCode> {}
