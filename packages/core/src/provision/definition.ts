import * as v from "valibot";
import { ProvisionError } from "../errors/index.ts";
import { isMachineName, isName, isUserName, type Role } from "../pki/index.ts";

/** How a participant reaches the server: TLS on both sides, TLS of the server, or none (behind a proxy that ends it). */
export type ConnectionSecurity = "mtls" | "tls" | "clear";

/** The server of a project. */
export interface ServerDefinition {
  /** Name in its certificate. */
  readonly name: string;
  /** Organization that runs it. */
  readonly org: string;
  /** Host names and addresses under which it is reached; the first is the one that kits name first. */
  readonly hosts: readonly string[];
  /** Port that it is reached at, 1 to 65 535. */
  readonly port: number;
}

/** A site with a startup kit. */
export interface SiteDefinition {
  /** Name in its certificate. */
  readonly name: string;
  /** Organization that it belongs to. */
  readonly org: string;
  /** Default "mtls". */
  readonly security?: ConnectionSecurity;
}

/** A program of a third party with a startup kit: it watches jobs and sends nothing. */
export interface AdapterDefinition {
  /** Name in its certificate. */
  readonly name: string;
  /** Organization that runs it. */
  readonly org: string;
  /** Default "mtls". */
  readonly security?: ConnectionSecurity;
}

/** A person with a startup kit. */
export interface UserDefinition {
  /** Lower-case e-mail. */
  readonly name: string;
  /** Organization that the person belongs to. */
  readonly org: string;
  /** What the person may be. */
  readonly role: Exclude<Role, "server" | "site">;
}

/** What a project consists of. */
export interface ProjectDefinition {
  /** Name in every certificate. */
  readonly name: string;
  /** The server. */
  readonly server: ServerDefinition;
  /** Sites with kits; pages join by invites and are not listed. */
  readonly sites: readonly SiteDefinition[];
  /** Users with kits. */
  readonly users: readonly UserDefinition[];
  /** Adapters with kits; none by default. */
  readonly adapters?: readonly AdapterDefinition[];
}

const name = v.pipe(
  v.string(),
  v.check(isName, "expected a-z, 0-9, dot, dash, underscore; at most 63 characters"),
);
const machineName = v.pipe(name, v.check(isMachineName, "server, all and enrol are reserved"));
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9a-fA-F:]{2,39})$/;

const ServerSchema = v.strictObject({
  name: machineName,
  org: name,
  hosts: v.pipe(
    v.array(v.pipe(v.string(), v.regex(HOST, "expected a host name or an IP address"))),
    v.minLength(1),
    v.maxLength(32),
  ),
  port: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(65_535)),
});

const SiteSchema = v.strictObject({
  name: machineName,
  org: name,
  security: v.exactOptional(v.picklist(["mtls", "tls", "clear"])),
});

const AdapterSchema = SiteSchema;

const UserSchema = v.strictObject({
  name: v.pipe(v.string(), v.check(isUserName, "expected a lower-case e-mail address")),
  org: name,
  role: v.picklist(["project_admin", "org_admin", "lead", "member"]),
});

const ProjectSchema = v.pipe(
  v.strictObject({
    name,
    server: ServerSchema,
    sites: v.pipe(v.array(SiteSchema), v.maxLength(10_000)),
    users: v.pipe(v.array(UserSchema), v.maxLength(10_000)),
    adapters: v.exactOptional(v.pipe(v.array(AdapterSchema), v.maxLength(1000))),
  }),
  v.check((project) => hasUniqueNames(project), "two participants have the same name"),
);

function hasUniqueNames({ server, sites, users, adapters = [] }: ProjectDefinition): boolean {
  const names = [server, ...sites, ...users, ...adapters].map((participant) => participant.name);
  return new Set(names).size === names.length;
}

/** @throws ProvisionError `ERR_PROJECT_INVALID` naming the first bad field */
export function parseProjectDefinition(value: unknown): ProjectDefinition {
  const result = v.safeParse(ProjectSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ProvisionError("ERR_PROJECT_INVALID", `${v.getDotPath(issue) ?? "project"}: ${issue.message}`);
}
