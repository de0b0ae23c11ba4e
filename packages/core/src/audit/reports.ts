import type { AuditEvent, AuditRecord } from "../platform/index.ts";

// Reports are read from the records alone: whoever has an export can make them, and compare.

type Records = AsyncIterable<AuditRecord> | Iterable<AuditRecord>;

/** One line of a report. */
export interface ReportedEvent
  extends Pick<AuditEvent, "atMs" | "actor" | "action" | "object" | "outcome" | "reason"> {
  /** Its record. */
  readonly sequence: number;
}

/** What one site gave to a job. */
export interface SiteFlow {
  /** Name of the site. */
  readonly site: string;
  /** Whether it took part, as it last said; "" when the records do not tell. */
  readonly consent: AuditEvent["outcome"] | "";
  /** Version of the text that a person agreed to; empty when a policy decided. */
  readonly terms: string;
  /** Results that counted. */
  readonly accepted: number;
  /** Results that did not, by their cause. */
  readonly refused: Readonly<Record<string, number>>;
  /** Most examples that one result rested on. */
  readonly examples: number;
}

/** What came out of the sites for one job, and who got what became of it. */
export interface DataFlowReport {
  /** Id of the job. */
  readonly jobId: string;
  /** By name. */
  readonly sites: readonly SiteFlow[];
  /** Rounds whose model is durable. */
  readonly rounds: number;
  /** Everything that users did about the job: submitted, downloaded, ended, or tried to. */
  readonly access: readonly ReportedEvent[];
  /** What filters and policies of a site did, in a site's own records. */
  readonly decisions: readonly ReportedEvent[];
}

/** The data flows of a job: what left which site, and who got the result. */
export async function reportDataFlows(records: Records, jobId: string): Promise<DataFlowReport> {
  const sites = new Map<string, SiteFlow>();
  const access: ReportedEvent[] = [];
  const decisions: ReportedEvent[] = [];
  let rounds = 0;
  for await (const record of records) {
    const { event } = record;
    if (event.correlation !== jobId) continue;
    if (event.action === "round" && event.outcome === "done") rounds += 1;
    else if (event.action === "consent" || event.action === "result") addToSite(sites, event);
    else if (event.action === "job") access.push(reported(record));
    else if (event.action !== "task") decisions.push(reported(record));
  }
  const byName = [...sites.values()].sort((left, right) => (left.site < right.site ? -1 : 1));
  return { jobId, sites: byName, rounds, access, decisions };
}

function addToSite(sites: Map<string, SiteFlow>, event: AuditEvent): void {
  const site = event.action === "result" ? event.object : nameOf(event.actor);
  const before = sites.get(site) ?? NOTHING;
  sites.set(site, {
    ...before,
    site,
    ...(event.action === "result" ? resultOf(before, event) : consentOf(event)),
  });
}

const NOTHING: SiteFlow = { site: "", consent: "", terms: "", accepted: 0, refused: {}, examples: 0 };

function consentOf({ outcome, details }: AuditEvent): Partial<SiteFlow> {
  const { terms } = details;
  return { consent: outcome, terms: typeof terms === "string" ? terms : "" };
}

function resultOf(before: SiteFlow, { outcome, reason, details }: AuditEvent): Partial<SiteFlow> {
  if (outcome !== "accepted") {
    return { refused: { ...before.refused, [reason]: (before.refused[reason] ?? 0) + 1 } };
  }
  const { exampleCount } = details;
  const examples = typeof exampleCount === "number" ? exampleCount : 0;
  return { accepted: before.accepted + 1, examples: Math.max(before.examples, examples) };
}

/** Everything that somebody did, or tried to. @param name as certificates have it */
export async function reportAccess(records: Records, name: string): Promise<readonly ReportedEvent[]> {
  return await collect(records, ({ actor }) => nameOf(actor) === name);
}

/** Everything about a participant: what it did, and what was done to it. @param name as certificates have it */
export async function reportParticipant(records: Records, name: string): Promise<readonly ReportedEvent[]> {
  return await collect(
    records,
    ({ actor, object }) => nameOf(actor) === name || object.split(" ").includes(name),
  );
}

async function collect(records: Records, isMeant: (event: AuditEvent) => boolean): Promise<ReportedEvent[]> {
  const found: ReportedEvent[] = [];
  for await (const record of records) if (isMeant(record.event)) found.push(reported(record));
  return found;
}

/** Actors are a digest and a name. */
const nameOf = (actor: string): string => actor.slice(actor.lastIndexOf(" ") + 1);

function reported({ sequence, event }: AuditRecord): ReportedEvent {
  const { atMs, actor, action, object, outcome, reason } = event;
  return { sequence, atMs, actor, action, object, outcome, reason };
}
