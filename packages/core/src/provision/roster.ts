import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { isRole, isUserRole, type Role } from "../pki/index.ts";
import type { ProjectDefinition } from "./definition.ts";

/** A site that the definition of the project lists. */
export interface RosterSite {
  /** Name in its certificate. */
  readonly name: string;
  /** Where its data lies. */
  readonly jurisdiction?: string;
}

/** Somebody who takes part in a study. */
export interface StudyMember {
  /** Name in the certificate of a user or adapter. */
  readonly name: string;
  /** What the person is in this study, no more than the certificate says. Default: what it says. */
  readonly role?: Role;
}

/** A study of a project: what is in it is for its members and sites alone. */
export interface Study {
  /** Its name. */
  readonly name: string;
  /** Sites that work for it; those of its invites work for it as well. */
  readonly sites: readonly string[];
  /** Who sees its jobs and hands them in. */
  readonly members: readonly StudyMember[];
}

/** A study as it is looked up. */
export interface RosterStudy {
  /** Its name. */
  readonly name: string;
  /** Sites that work for it. */
  readonly sites: ReadonlySet<string>;
  /** Members, by name. */
  readonly members: ReadonlyMap<string, StudyMember>;
}

/** What a server holds jobs against: sites, scopes and studies of the project. */
export interface Roster {
  /** Sites with kits, by name. */
  readonly sites: ReadonlyMap<string, RosterSite>;
  /** Scopes that jobs may name; absent: each site alone knows. */
  readonly scopes?: ReadonlySet<string>;
  /** Studies by name; absent: there is one, it has no name, and everybody is in it. */
  readonly studies?: ReadonlyMap<string, RosterStudy>;
}

/** The roster of now: the file may change while the server runs. `undefined`: nothing is known. */
export type RosterSource = () => Roster | undefined;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const names = v.pipe(v.array(name), v.maxLength(10_000));

const RosterSchema = v.strictObject({
  version: v.literal(1),
  sites: v.pipe(
    v.array(v.strictObject({ name, jurisdiction: v.exactOptional(v.pipe(v.string(), v.maxLength(6))) })),
    v.maxLength(10_000),
  ),
  scopes: v.exactOptional(names),
  studies: v.exactOptional(
    v.pipe(
      v.array(
        v.strictObject({
          name,
          sites: names,
          members: v.pipe(
            v.array(
              v.strictObject({
                name,
                role: v.exactOptional(
                  v.custom<Role>(
                    (value) => typeof value === "string" && isRole(value) && isUserRole(value),
                    "a role",
                  ),
                ),
              }),
            ),
            v.maxLength(10_000),
          ),
        }),
      ),
      v.maxLength(1000),
    ),
  ),
});

/** What of a definition the roster holds. */
type RosterDefinition = Pick<ProjectDefinition, "sites" | "scopes" | "studies">;

/** The roster of a definition, for its server. @returns JSON, UTF-8 */
export function encodeRoster({ sites, scopes, studies }: RosterDefinition): Bytes {
  const lines = [
    `  "version": 1`,
    `  "sites": ${list(sites.map(({ name: site, jurisdiction }) => ({ name: site, jurisdiction })))}`,
    ...(scopes === undefined ? [] : [`  "scopes": ${JSON.stringify(scopes)}`]),
    ...(studies === undefined ? [] : [`  "studies": ${list(studies)}`]),
  ];
  return utf8(`{\n${lines.join(",\n")}\n}\n`);
}

function list(entries: readonly unknown[]): string {
  if (entries.length === 0) return "[]";
  return `[\n${entries.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n")}\n  ]`;
}

/** Reads what {@link encodeRoster} wrote. @throws ProvisionError `ERR_KIT_UNREADABLE` */
export function parseRoster(file: Bytes): Roster {
  try {
    const { sites, scopes, studies } = v.parse(RosterSchema, JSON.parse(fromUtf8(file)));
    return {
      sites: new Map(sites.map((site) => [site.name, site])),
      ...(scopes === undefined ? {} : { scopes: new Set(scopes) }),
      ...(studies === undefined
        ? {}
        : { studies: new Map(studies.map((study) => [study.name, lookedUp(study)])) }),
    };
  } catch (cause) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", "roster.json does not list sites and studies", { cause });
  }
}

function lookedUp({ name: study, sites, members }: Study): RosterStudy {
  return {
    name: study,
    sites: new Set(sites),
    members: new Map(members.map((member) => [member.name, member])),
  };
}
