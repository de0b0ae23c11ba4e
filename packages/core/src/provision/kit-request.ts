import { type Bytes, utf8 } from "../bytes/index.ts";
import {
  type Certificate,
  type Name,
  type Role,
  requireName,
  type Subject,
  subjectOf,
} from "../pki/index.ts";
import {
  type AdapterDefinition,
  type ConnectionSecurity,
  type ParticipantKeyKind,
  type ProjectDefinition,
  participantsOf,
  type ServerDefinition,
  type SiteDefinition,
  type UserDefinition,
  type ValidityDefinition,
} from "./definition.ts";
import { type KitConfiguration, serverAddresses } from "./kit-configuration.ts";
import type { Machine } from "./machines.ts";

/** Whose kit to make, and what goes into it. */
export interface KitRequest {
  /** Who it is for. */
  readonly subject: Subject;
  /** Organization of the participant. */
  readonly org: Name;
  /** Kind of the key; default "P-256". */
  readonly keyKind?: ParticipantKeyKind;
  /** Where the server is, and how this participant connects. */
  readonly connection: Pick<
    KitConfiguration,
    "server" | "security" | "jurisdiction" | "approvals" | "studies"
  >;
  /** Port at which the server is reached. */
  readonly port: number;
  /** CAs of a proxy that ends TLS, PEM. */
  readonly tlsAuthorities?: string;
  /** Servers: host names and addresses for the certificate. */
  readonly hosts?: readonly string[];
  /** What a server alone has. */
  readonly ofServer?: ServerMaterial;
  /** Time of issue, ms since 1970. */
  readonly nowMs: number;
  /** ms that certificate and kit are valid; default 360 days. */
  readonly lifetimeMs?: number;
}

/** What a server's kit holds beside its own identity. */
export interface ServerMaterial {
  /** All machines that have kits. */
  readonly machines: readonly Machine[];
  /** CA by which pages enrol. */
  readonly enrolment: EnrolmentMaterial;
  /** Newest revocation list of the root, DER. */
  readonly revocationList: Bytes;
  /** 32 bytes that wrap the keys of everything at rest; a new server gets new ones. */
  readonly storageKey?: Bytes;
}

/** The CA by which pages enrol, with its key. */
export interface EnrolmentMaterial {
  /** Its certificate. */
  readonly certificate: Certificate;
  /** Its private key, PKCS#8, DER; in memory only. */
  readonly pkcs8: Bytes;
}

type ParticipantOf = ReturnType<typeof participantsOf>[number];

/** What a participant is in a definition. */
function roleOf(project: ProjectDefinition, participant: ParticipantOf): Role {
  if ("role" in participant) return participant.role;
  if (participant === project.server) return "server";
  return project.adapters?.some((adapter) => adapter === participant) ? "adapter" : "site";
}

const DAY_MS = 86_400_000;

/** ms of validity that a project gives to a kind of participant; `undefined` for the default. */
export function lifetimeOf(
  { validity = {} }: ProjectDefinition,
  kind: keyof ValidityDefinition,
): number | undefined {
  const days = validity[kind];
  return days === undefined ? undefined : days * DAY_MS;
}

function kindOf(role: Role): keyof ValidityDefinition {
  return role === "server" || role === "site" || role === "adapter" ? role : "user";
}

/** A participant of a definition, with all that its kit depends on. */
export interface PlannedKit {
  /** What to make, but the time and what a server alone has. */
  readonly request: Omit<KitRequest, "nowMs" | "ofServer">;
  /** True when the participant makes its key itself: its kit waits for a request. */
  readonly isRequested: boolean;
  /** What the definition says of this participant, as text: another text asks for another kit. */
  readonly facts: string;
}

/** The kits of a project, the server's first. @param definition which was checked */
export function plannedKits(project: ProjectDefinition): readonly PlannedKit[] {
  return participantsOf(project).map((participant) => {
    const role = roleOf(project, participant);
    const subject = checkedSubject(project.name, role, participant.name);
    const lifetimeMs = lifetimeOf(project, kindOf(role));
    const { key = project.key } = participant;
    const request = {
      subject,
      org: requireName(participant.org, "the organization"),
      connection: connectionOf(project, participant),
      port: project.server.port,
      ...(key === undefined || key === "requested" ? {} : { keyKind: key }),
      ...(project.server.tlsCa === undefined ? {} : { tlsAuthorities: project.server.tlsCa }),
      ...(role === "server" ? { hosts: project.server.hosts } : {}),
      ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    };
    return { request, isRequested: key === "requested", facts: factsOf(project, participant, role) };
  });
}

/** The machines of a definition, as its server knows them. */
export function machinesOf(project: ProjectDefinition): readonly Machine[] {
  return plannedKits(project).flatMap(({ request: { subject, connection } }) => {
    const { role, name } = subject;
    if (role !== "server" && role !== "site" && role !== "adapter") return [];
    const { jurisdiction } = connection;
    return [{ name, role, ...(jurisdiction === undefined ? {} : { jurisdiction }) }];
  });
}

/**
 * Only what the definition says of the participant and the server. What follows from others (the security that all sites
 * have in common) changes no kit that has been handed out.
 */
function factsOf(project: ProjectDefinition, participant: ParticipantOf, role: Role): string {
  const { server } = project;
  const { org, key = project.key ?? "P-256" } = participant;
  const own = "hosts" in participant ? undefined : participant;
  const place = "jurisdiction" in participant ? participant.jurisdiction : undefined;
  const where = [server.name, own?.addresses ?? [server.hosts, server.port], server.tlsCa];
  const hosts = own === undefined ? server.hosts : undefined;
  const facts: unknown[] = [project.name, role, org, key, own?.security, place, where, hosts];
  // At the end and only where it is said: facts of before stay as they were.
  if (own === undefined && server.approvals !== undefined) facts.push(String(server.approvals));
  const studies = studiesOf(project, participant);
  if (studies.length > 0) facts.push(["studies", ...studies]);
  return JSON.stringify(facts.map((fact) => fact ?? null));
}

function connectionOf(project: ProjectDefinition, participant: ParticipantOf): KitRequest["connection"] {
  const { server } = project;
  const security = securityOf(project, participant);
  const own = "addresses" in participant ? participant.addresses : undefined;
  const addresses = own ?? serverAddresses(server.hosts, server.port, security);
  const jurisdiction = "jurisdiction" in participant ? participant.jurisdiction : undefined;
  const studies = studiesOf(project, participant);
  return {
    server: { name: server.name, addresses },
    security,
    ...("approvals" in participant ? { approvals: participant.approvals } : {}),
    ...(jurisdiction === undefined ? {} : { jurisdiction }),
    ...(studies.length === 0 ? {} : { studies }),
  };
}

/** Studies that a site works for, in order; nobody else's kit says any. */
function studiesOf({ sites, studies = [] }: ProjectDefinition, { name }: ParticipantOf): readonly string[] {
  if (!sites.some((site) => site.name === name)) return [];
  return studies
    .filter((study) => study.sites.includes(name))
    .map((study) => study.name)
    .sort();
}

function securityOf(
  project: ProjectDefinition,
  participant: ServerDefinition | SiteDefinition | AdapterDefinition | UserDefinition,
): ConnectionSecurity {
  const chosen = "security" in participant ? participant.security : undefined;
  if (chosen !== undefined) return chosen;
  return participant === project.server || "role" in participant ? commonSecurity(project.sites) : "mtls";
}

/** What the kits of server and users say: what all sites have in common, else TLS of the server. */
function commonSecurity(sites: readonly SiteDefinition[]): ConnectionSecurity {
  const used = sites.map(({ security = "mtls" }) => security);
  if (used.length > 0 && used.every((security) => security === "clear")) return "clear";
  return used.every((security) => security === "mtls") ? "mtls" : "tls";
}

/** True when the certificate of this kit says: only over TLS to which it was presented. People may sign in on a page. */
export function isMutualTls({ subject, connection }: Pick<KitRequest, "subject" | "connection">): boolean {
  return (subject.role === "site" || subject.role === "adapter") && connection.security === "mtls";
}

function checkedSubject(project: string, role: Role, name: string): Subject {
  const subject = subjectOf(project, role, name);
  if (subject === undefined) throw new RangeError(`unreachable: the definition was checked, ${name}`);
  return subject;
}

/** {@link PlannedKit.facts} as bytes to hash. */
export function factsBytes({ facts }: PlannedKit): Bytes {
  return utf8(facts);
}
