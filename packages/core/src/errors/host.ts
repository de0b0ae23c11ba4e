import type { ErrorHandling } from "./definition.ts";
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
export const HOST_ERRORS: Readonly<Record<HostErrorCode, ErrorHandling>> = {
  ERR_CONFIG_INVALID: { action: "stop" },
  ERR_TIMED_OUT: { action: "stop" },
  ERR_PORT_IN_USE: { action: "stop" },
  ERR_ADDRESS_UNUSABLE: { action: "stop" },
  ERR_CHROMIUM_MISSING: { action: "stop" },
  ERR_CLEAR_NOT_LOOPBACK: { action: "stop" },
  ERR_NOT_FOUND: { action: "reject" },
  ERR_METHOD_NOT_ALLOWED: { action: "reject" },
  ERR_UPGRADE_REFUSED: { action: "reject" },
  ERR_READ_TOKEN_REFUSED: { action: "reject" },
  ERR_READ_TOKEN_SCOPE: { action: "reject" },
};

/** What a person does about them. */
export const HOST_REMEDIES: Readonly<Record<HostErrorCode, string>> = {
  ERR_CONFIG_INVALID: "Correct the named option.",
  ERR_TIMED_OUT: "Give it more time with --timeout; what was begun goes on.",
  ERR_PORT_IN_USE: "Stop the program that uses the port, or choose another with --port.",
  ERR_ADDRESS_UNUSABLE: "Choose an address of this machine.",
  ERR_CHROMIUM_MISSING: "Install Chromium, or set CHROMIUM_PATH.",
  ERR_CLEAR_NOT_LOOPBACK: "Serve pages off loopback by TLS: pass --lan or configure a certificate.",
  ERR_NOT_FOUND: "Check the address: the server has nothing there.",
  ERR_METHOD_NOT_ALLOWED: "Use GET: the HTTP interface is read-only.",
  ERR_UPGRADE_REFUSED:
    "Open a WebSocket with the subprotocol photinus.v1, from a page of this server or from no page.",
  ERR_READ_TOKEN_REFUSED:
    "Open the dashboard by the link that the server printed, or ask for a new read-only token.",
  ERR_READ_TOKEN_SCOPE: "Use the read-only token of this job, or one of the whole server.",
};

/** A fault of hosts: configuration, ports and files. */
export class HostError extends PhotinusError<HostErrorCode> {}
