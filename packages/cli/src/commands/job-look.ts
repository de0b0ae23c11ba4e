import type { JobView, MeasurementView, SiteView } from "@photinus/core/message";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";
import { logLines } from "../job/log-lines.ts";
import { presentJob } from "../job/present-job.ts";
import { roundLine } from "../job/round-lines.ts";
import { megabytes } from "../megabytes.ts";
import type { Terminal } from "../terminal.ts";
import { type PersonOptions, withFederation } from "../with-federation.ts";

/** Options of `photinus job list`. */
export interface JobListOptions extends PersonOptions {
  /** So many of the newest. */
  readonly most: number;
  /** Of this study alone. */
  readonly study?: string;
}

/** Lists the jobs that the user may view, the newest first. @throws as `withFederation` */
export async function listJobs(
  { most, study, ...options }: JobListOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const jobs = await withFederation(
    options,
    ({ federation, signal }) => federation.jobs({ most, signal, ...(study === undefined ? {} : { study }) }),
    context,
  );
  for (const { jobId, name, state, reason, submitter, submittedAtMs, clonedFrom, study: of } of jobs) {
    const why = reason === "" ? "" : `: ${reason}`;
    const whence = clonedFrom === undefined ? "" : `  clone of ${clonedFrom}`;
    const whose = of === undefined ? "" : `  study ${of}`;
    terminal.line(
      `${jobId}  ${new Date(submittedAtMs).toISOString()}  ${state}${why}  ${name}  by ${submitter}${whose}${whence}`,
    );
  }
  terminal.result({ jobs });
}

/** Shows a job as it is now. @throws as `withFederation` */
export async function showJob(jobId: string, options: PersonOptions, context: CommandContext): Promise<void> {
  const job = await withFederation(
    options,
    ({ federation, signal }) => presentJob(federation.job(jobId), signal),
    context,
  );
  printJob(job, context.terminal);
  context.terminal.result(job);
}

function printJob(job: JobView, terminal: Terminal): void {
  const { name, purpose, state, reason, rounds, minimumSites, startedAtMs, endedAtMs, modelBytes } = job;
  terminal.line(`${name}  ${state}${reason === "" ? "" : `: ${reason}`}`);
  if (purpose !== "") terminal.line(purpose);
  const end = endedAtMs === undefined ? "" : `  ended ${new Date(endedAtMs).toISOString()}`;
  terminal.line(`submitted ${new Date(startedAtMs).toISOString()}${end}`);
  terminal.line(
    `${counted(rounds, "round")} of at least ${counted(minimumSites, "site")}, model ${megabytes(modelBytes)}`,
  );
  for (const site of job.sites) terminal.line(siteLine(site));
  for (const round of job.history.filter((each) => each.endedAtMs !== undefined)) {
    terminal.line(roundLine(job, round));
  }
  for (const measurement of job.measurements ?? []) terminal.line(measurementLine(measurement));
}

function measurementLine({ subject, site, accuracy, loss, exampleCount }: MeasurementView): string {
  const whose = subject === "" ? "the job's model" : `the model of ${subject}`;
  const figures = `accuracy ${accuracy.toFixed(3)}  loss ${loss.toFixed(2)}  ${counted(exampleCount, "example")}`;
  return `${whose} at ${site}  ${figures}`;
}

function siteLine({ name, org, phase, device, accepted, cause, detail = "" }: SiteView): string {
  const why = [cause, detail].filter((text) => text !== "").join(": ");
  const where = device === "" ? "" : `  on ${device}`;
  return `site ${name}  ${org}  ${phase}${where}  ${accepted} accepted${why === "" ? "" : `  ${why}`}`;
}

/** Options of `photinus job logs`. */
export interface JobLogsOptions extends PersonOptions {
  /** Go on until the job has ended. */
  readonly follow?: boolean;
}

/** Prints what happened in a job: rounds, what each site did in them, refusals with their cause. @throws as `withFederation` */
export async function printJobLogs(
  jobId: string,
  { follow = false, ...options }: JobLogsOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  await withFederation(
    options,
    async ({ federation, signal }) => {
      const told = new Set<string>();
      for await (const view of federation.job(jobId).views(signal)) {
        for (const { atMs, text, ...facts } of logLines(view)) {
          const line = `${new Date(atMs).toISOString()}  ${text}`;
          if (told.has(line)) continue;
          told.add(line);
          terminal.line(line);
          terminal.event({ atMs, text, ...facts });
        }
        if (!follow) return;
      }
      signal.throwIfAborted();
    },
    context,
  );
}
