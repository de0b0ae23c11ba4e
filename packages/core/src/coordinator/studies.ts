import type { Actor } from "../authorization/index.ts";
import { JobError } from "../errors/index.ts";
import { isDeployedTo, isWithin, type JobDefinition } from "../job/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import {
  EnrolledParticipants,
  type Roster,
  type RosterSource,
  type RosterStudy,
} from "../provision/index.ts";

/** What {@link Studies} rests on. */
export interface StudiesOptions {
  /** Sites, scopes and studies of now. Absent: nothing is known of sites and scopes, and there are no studies. */
  readonly roster?: RosterSource | undefined;
  /** Where the data of the server lies. */
  readonly jurisdiction?: string | undefined;
}

/** A site as far as it decides what it may work for. */
export interface PlacedSite {
  /** Name in its certificate. */
  readonly name: string;
  /** Study of the invite by which it joined. */
  readonly invitedTo?: string | undefined;
}

/** What decides about who may see a job, and who may work for it. */
type JobPlaces = Pick<JobDefinition, "deployment" | "residency" | "study">;

/**
 * Studies of a project: a job of one is there for its members and its sites, and for nobody else. What is asked of a study that one
 * is not in is answered as of one that is not there.
 */
export class Studies {
  readonly #options: StudiesOptions;
  readonly #enrolled: EnrolledParticipants;

  constructor(options: StudiesOptions, { metadata }: { readonly metadata: MetadataStore }) {
    this.#options = options;
    this.#enrolled = new EnrolledParticipants(metadata);
  }

  /**
   * Somebody as he is in a study, where his role may be less than in the project.
   * @param study absent: a job that names none
   * @returns `undefined` for who is not in it, and when there is none
   */
  actorIn(study: string | undefined, actor: Actor): Actor | undefined {
    const { studies } = this.#roster;
    if (study === undefined || studies === undefined)
      return study === undefined && studies === undefined ? actor : undefined;
    const member = studies.get(study)?.members.get(actor.name);
    if (member === undefined) return undefined;
    return member.role === undefined ? actor : { ...actor, role: member.role };
  }

  /**
   * {@link actorIn} of who hands in a job.
   * @throws JobError `ERR_JOB_INVALID` that begins with the path of the field; of a study that one is not in as of one that is not there
   */
  requireActor(study: string | undefined, actor: Actor): Actor {
    const present = this.actorIn(study, actor);
    if (present !== undefined) return present;
    if (study !== undefined) throw invalid("study", `there is no study ${study} for ${actor.name}`);
    throw invalid("study", "this project has studies: name one of yours");
  }

  /** Studies that somebody is in, by name. */
  of(actor: Actor): readonly RosterStudy[] {
    const studies = [...(this.#roster.studies?.values() ?? [])];
    return studies.filter(({ name }) => this.actorIn(name, actor) !== undefined);
  }

  /** True when a site is in the study of a job, and lies where the job may. */
  admits({ study, residency }: Pick<JobPlaces, "study" | "residency">, site: PlacedSite): boolean {
    if (!this.isOfStudy(study, site)) return false;
    return residency === undefined || isWithin(this.#roster.sites.get(site.name)?.jurisdiction, residency);
  }

  /** True when a job may be given to a site at all: one that it names, of those that it admits. */
  mayTakePart(job: JobPlaces, site: PlacedSite): boolean {
    return isDeployedTo(job.deployment, site.name) && this.admits(job, site);
  }

  /** The study to which a site that joined by a link was invited. */
  async invitedTo(site: string): Promise<string | undefined> {
    return (await this.#enrolled.find(site))?.study;
  }

  /**
   * What of a job cannot be: sites, scope and places that are not there.
   * @throws JobError `ERR_JOB_INVALID` that begins with the path of the field
   */
  async requirePossible(definition: JobDefinition): Promise<void> {
    const { scope, residency, workflow } = definition;
    if (this.#options.roster?.() === undefined) return;
    const { scopes } = this.#roster;
    if (scope !== undefined && scopes !== undefined && !scopes.has(scope)) {
      throw invalid("scope", `the project has no scope ${scope}`);
    }
    await this.#requireSites(definition);
    if (residency === undefined) return;
    const { jurisdiction } = this.#options;
    if (!isWithin(jurisdiction, residency)) {
      throw invalid(
        "residency",
        `the server lies ${jurisdiction === undefined ? "nowhere" : `in ${jurisdiction}`}`,
      );
    }
    const within = [...this.#roster.sites.values()].filter((site) =>
      this.mayTakePart(definition, site),
    ).length;
    if (within < workflow.minimumSites) {
      throw invalid(
        "residency",
        `${within} of ${workflow.minimumSites} sites lie within ${residency.join(", ")}`,
      );
    }
  }

  async #requireSites({ study, deployment = {}, residency }: JobDefinition): Promise<void> {
    for (const [path, name] of namedSites(deployment)) {
      const listed = this.#roster.sites.get(name);
      const enrolled = listed === undefined ? await this.#enrolled.find(name) : undefined;
      // A site of another study is answered like one that is not there.
      const isThere = listed !== undefined || enrolled !== undefined;
      if (!isThere || !this.isOfStudy(study, { name, invitedTo: enrolled?.study })) {
        throw invalid(path, `${study === undefined ? "the project" : `study ${study}`} has no site ${name}`);
      }
      if (!isWithin(listed?.jurisdiction, residency)) {
        const where = listed?.jurisdiction === undefined ? "has no place" : `lies in ${listed.jurisdiction}`;
        throw invalid(path, `${name} ${where}, the job stays within ${residency?.join(", ")}`);
      }
    }
  }

  /** True when a site works for a study; where there are none, for what names none. */
  isOfStudy(study: string | undefined, { name, invitedTo }: PlacedSite): boolean {
    const { studies } = this.#roster;
    if (study === undefined || studies === undefined) return study === undefined && studies === undefined;
    const known = studies.get(study);
    return known !== undefined && (known.sites.has(name) || invitedTo === study);
  }

  get #roster(): Roster {
    return this.#options.roster?.() ?? NOTHING_KNOWN;
  }
}

const NOTHING_KNOWN: Roster = { sites: new Map() };

/** Sites that a deployment names, each with its path. */
function* namedSites({
  sites = [],
  mandatorySites = [],
  resources = {},
}: NonNullable<JobDefinition["deployment"]>): Generator<readonly [path: string, site: string]> {
  for (const [index, site] of sites.entries()) yield [`deployment.sites.${index}`, site];
  for (const [index, site] of mandatorySites.entries()) yield [`deployment.mandatorySites.${index}`, site];
  for (const site of Object.keys(resources)) if (site !== "*") yield [`deployment.resources.${site}`, site];
}

function invalid(path: string, problem: string): JobError {
  return new JobError("ERR_JOB_INVALID", `${path}: ${problem}`);
}

/** What a job is not there for who is not in its study. */
export function unknownJob(jobId: string): JobError {
  return new JobError("ERR_JOB_UNKNOWN", `there is no job ${jobId}`);
}
