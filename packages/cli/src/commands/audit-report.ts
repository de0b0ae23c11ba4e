import {
  type DataFlowReport,
  type ReportedEvent,
  reportAccess,
  reportDataFlows,
  reportParticipant,
  type SiteFlow,
} from "@photinus/core/audit";
import { HostError } from "@photinus/core/errors";
import { type AuditPlace, type AuditRecords, verifyRecords, withRecords } from "../audit/open-records.ts";
import { lineOfRecord } from "../audit/record-line.ts";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";
import type { Terminal } from "../terminal.ts";

/** Options of `photinus audit report`: exactly one of the three. */
export interface AuditReportOptions extends AuditPlace {
  /** Id of a job: what left which site, and who got the result. */
  readonly job?: string;
  /** Name of a user: everything that it did. */
  readonly user?: string;
  /** Name of a participant: everything that it did or that was done to it. */
  readonly participant?: string;
}

/**
 * Prints a report that is read from the records, after their chain was verified: nobody relies on a broken one.
 * @throws AuditBrokenError; HostError `ERR_CONFIG_INVALID`
 */
export async function reportRecords(
  options: AuditReportOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const { job, user, participant } = options;
  if ([job, user, participant].filter((given) => given !== undefined).length !== 1) {
    throw new HostError("ERR_CONFIG_INVALID", "give one of --job, --user and --participant");
  }
  await withRecords(options, async (audit) => {
    await verifyRecords(audit);
    if (job !== undefined) printFlows(await reportDataFlows(audit.read(), job), terminal);
    else printEvents(await eventsOf(audit, options), terminal);
  });
}

async function eventsOf(
  audit: AuditRecords,
  { user, participant }: AuditReportOptions,
): Promise<readonly ReportedEvent[]> {
  return user === undefined
    ? await reportParticipant(audit.read(), participant ?? "")
    : await reportAccess(audit.read(), user);
}

function printEvents(events: readonly ReportedEvent[], terminal: Terminal): void {
  for (const event of events) terminal.line(lineOfRecord(event));
  terminal.note(`${counted(events.length, "record")}, chain verified`);
  terminal.result({ events });
}

function printFlows(report: DataFlowReport, terminal: Terminal): void {
  const { jobId, sites, rounds, access, decisions } = report;
  terminal.line(`job ${jobId}: ${counted(rounds, "round")}, ${counted(sites.length, "site")}`);
  for (const site of sites) terminal.line(`  ${flowOf(site)}`);
  for (const event of [...access, ...decisions]) terminal.line(`  ${lineOfRecord(event)}`);
  terminal.result(report);
}

function flowOf({ site, consent, terms, accepted, refused, examples }: SiteFlow): string {
  const agreed = terms === "" ? consent : `${consent} (terms ${terms})`;
  const causes = Object.entries(refused).map(([cause, times]) => `${times} ${cause}`);
  const parts = [`consent ${agreed === "" ? "unknown" : agreed}`, `${counted(accepted, "update")} counted`];
  if (accepted > 0) parts.push(`of at most ${counted(examples, "example")}`);
  if (causes.length > 0) parts.push(`refused: ${causes.join(", ")}`);
  return `${site}: ${parts.join(", ")}`;
}
