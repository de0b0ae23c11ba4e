import * as v from "valibot";
import { ProvisionError } from "../errors/index.ts";
import type { Role } from "../pki/index.ts";
import { projectSchema } from "./definition-schema.ts";
import type { Study } from "./roster.ts";

/** How a participant reaches the server: TLS on both sides, TLS of the server, or none (behind a proxy that ends it). */
export type ConnectionSecurity = "mtls" | "tls" | "clear";

/** Kind of a participant's key: ECDSA P-256, or RSA by which it signs RSA-PSS with SHA-256. */
export type ParticipantKeyKind = "P-256" | "RSA-2048" | "RSA-3072";

/** Kind of key, or "requested": the participant makes it itself, and the root's holder signs its request. */
export type KeyChoice = ParticipantKeyKind | "requested";

/** What any participant with a startup kit may choose. */
export interface ParticipantDefinition {
  /** Organization that it belongs to. */
  readonly org: string;
  /** Kind of its key; default: that of the project. */
  readonly key?: KeyChoice;
}

/** The server of a project. */
export interface ServerDefinition extends ParticipantDefinition {
  /** Name in its certificate. */
  readonly name: string;
  /** Host names and addresses under which it is reached; the first is the one that kits name first. */
  readonly hosts: readonly string[];
  /** Port that it is reached at, 1 to 65 535. */
  readonly port: number;
  /**
   * CAs of a proxy that ends TLS before the server, PEM: kits carry them, and clients trust them and the project's root for
   * TLS, instead of the public ones. Who the server is, they never say.
   */
  readonly tlsCa?: string;
  /** Administrators of the project who have to approve a request without an invite, each by a certificate of their own; default 1. */
  readonly approvals?: 1 | 2;
  /** Where its data lies, such as `DE`, `EU` or `US-CA`. */
  readonly jurisdiction?: string;
}

/** How a participant connects. */
export interface ConnectionDefinition {
  /** Default "mtls"; of users, what all sites have in common. */
  readonly security?: ConnectionSecurity;
  /** Addresses of the server's socket for this one, such as `wss://gate.example.org/ws`; default: the server's hosts. */
  readonly addresses?: readonly string[];
}

/** A site with a startup kit. */
export interface SiteDefinition extends ParticipantDefinition, ConnectionDefinition {
  /** Name in its certificate. */
  readonly name: string;
  /** Where its data lies, such as `DE`, `EU` or `US-CA`. */
  readonly jurisdiction?: string;
}

/** A program of a third party with a startup kit: it watches jobs and sends nothing. */
export interface AdapterDefinition extends ParticipantDefinition, ConnectionDefinition {
  /** Name in its certificate. */
  readonly name: string;
}

/** A person with a startup kit. */
export interface UserDefinition extends ParticipantDefinition, ConnectionDefinition {
  /** Lower-case e-mail. */
  readonly name: string;
  /** What the person may be. */
  readonly role: Exclude<Role, "server" | "site" | "adapter">;
}

/** Days that certificates and kits are valid, by kind; never beyond the root's. */
export interface ValidityDefinition {
  /** The root. Default 3 650. */
  readonly root?: number;
  /** Default 360. */
  readonly server?: number;
  /** Default 360. */
  readonly site?: number;
  /** Default 360. */
  readonly adapter?: number;
  /** Default 360. */
  readonly user?: number;
}

/** What a project consists of. */
export interface ProjectDefinition {
  /** Name in every certificate. */
  readonly name: string;
  /** Kind of the participants' keys unless they say another; default "P-256". */
  readonly key?: KeyChoice;
  /** Kind of the root's key: ECDSA P-384, the default, or RSA of 3072 bits; without effect once there is a root. */
  readonly rootKey?: "P-384" | "RSA-3072";
  /** How long certificates and kits are valid. */
  readonly validity?: ValidityDefinition;
  /** The server. */
  readonly server: ServerDefinition;
  /** Sites with kits; pages join by invites and are not listed. */
  readonly sites: readonly SiteDefinition[];
  /** Users with kits. */
  readonly users: readonly UserDefinition[];
  /** Adapters with kits; none by default. */
  readonly adapters?: readonly AdapterDefinition[];
  /** Tenants of the project, each with sites and members of its own. Default: one for everybody, without a name. */
  readonly studies?: readonly Study[];
  /** Privacy scopes that jobs may name. Default: each site alone knows its own. */
  readonly scopes?: readonly string[];
}

/** @throws ProvisionError `ERR_PROJECT_INVALID` naming the first bad field */
export function parseProjectDefinition(value: unknown): ProjectDefinition {
  const result = v.safeParse(projectSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ProvisionError("ERR_PROJECT_INVALID", `${v.getDotPath(issue) ?? "project"}: ${issue.message}`);
}

/** Every participant of a project with a kit, the server first. */
export function participantsOf({
  server,
  sites,
  users,
  adapters = [],
}: ProjectDefinition): readonly (ServerDefinition | SiteDefinition | AdapterDefinition | UserDefinition)[] {
  return [server, ...sites, ...adapters, ...users];
}
