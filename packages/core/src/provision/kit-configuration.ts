import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { isRole, type Role } from "../pki/index.ts";
import type { ConnectionSecurity } from "./definition.ts";

/** `config.json` of a kit: who this is and where the server is. */
export interface KitConfiguration {
  /** Version of this form. */
  readonly version: 1;
  /** Name of the project. */
  readonly project: string;
  /** Name of the participant. */
  readonly name: string;
  /** Role of the participant. */
  readonly role: Role;
  /** Organization of the participant. */
  readonly org: string;
  /** The server, also in its own kit. */
  readonly server: KitServer;
  /** How this participant connects; in kits of server and users what all sites have in common, else "tls". */
  readonly security: ConnectionSecurity;
  /** Server: administrators who have to approve a request without an invite; default 1. */
  readonly approvals?: 1 | 2;
  /** Server and sites: where their data lies, such as `DE`, `EU` or `US-CA`. */
  readonly jurisdiction?: string;
  /** Site: studies whose jobs it takes; absent: it is in none, and takes jobs that name none. */
  readonly studies?: readonly string[];
}

/** Where the server of a project is. */
export interface KitServer {
  /** Name that its certificate must carry. */
  readonly name: string;
  /** Addresses of its socket, such as `wss://host:8443/ws`, to be tried in order. */
  readonly addresses: readonly string[];
}

/** No configuration is larger. */
const MAX_CONFIGURATION_BYTES = 65_536;

const ConfigurationSchema = v.strictObject({
  version: v.literal(1),
  project: v.pipe(v.string(), v.maxLength(63)),
  name: v.pipe(v.string(), v.maxLength(128)),
  role: v.custom<Role>((value) => typeof value === "string" && isRole(value)),
  org: v.pipe(v.string(), v.maxLength(63)),
  server: v.strictObject({
    name: v.pipe(v.string(), v.maxLength(63)),
    addresses: v.pipe(
      v.array(v.pipe(v.string(), v.maxLength(300), v.regex(/^wss?:\/\/[^/?#@]+\/ws$/))),
      v.minLength(1),
      v.maxLength(32),
    ),
  }),
  security: v.picklist(["mtls", "tls", "clear"]),
  approvals: v.exactOptional(v.picklist([1, 2])),
  jurisdiction: v.exactOptional(v.pipe(v.string(), v.maxLength(6))),
  studies: v.exactOptional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(63))), v.maxLength(1000))),
});

/** @returns JSON, UTF-8 */
export function encodeKitConfiguration(configuration: KitConfiguration): Bytes {
  return utf8(`${JSON.stringify(configuration, undefined, 2)}\n`);
}

/**
 * Reads the configuration of a kit whose manifest was verified.
 * @throws ProvisionError `ERR_KIT_UNREADABLE` naming the first bad field
 */
export function parseKitConfiguration(bytes: Bytes): KitConfiguration {
  const result = v.safeParse(ConfigurationSchema, parsedJson(bytes));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ProvisionError(
    "ERR_KIT_UNREADABLE",
    `config.json: ${v.getDotPath(issue) ?? ""} ${issue.message}`,
  );
}

function parsedJson(bytes: Bytes): unknown {
  try {
    if (bytes.length > MAX_CONFIGURATION_BYTES) throw new RangeError(`${bytes.length} bytes`);
    return JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", "config.json is not JSON, or too large", { cause });
  }
}

/** Addresses of a server's socket under each of its hosts. */
export function serverAddresses(
  hosts: readonly string[],
  port: number,
  security: ConnectionSecurity,
): readonly string[] {
  const scheme = security === "clear" ? "ws" : "wss";
  return hosts.map((host) => `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/ws`);
}
