import type { Command } from "commander";
import { durationUpTo, integerFrom, jobId, repeated } from "../arguments.ts";
import type { ContextOf } from "../context.ts";
import { personOptions } from "./person-options.ts";

const MONTH_MS = 31 * 86_400_000;

/** `photinus job schema|check|submit|clone|list|show|watch|wait|logs|abort|download|delete`. */
export function addJob(program: Command, contextOf: ContextOf): void {
  const job = program.command("job").description("jobs: hand in, follow, end, fetch what came of them");
  addFile(job, contextOf);
  addSubmit(job, contextOf);
  addClone(job, contextOf);
  addLooks(job, contextOf);
  addFollowing(job, contextOf);
  addDownload(job, contextOf);
  addDelete(job, contextOf);
}

/** A command of a user on a running server. */
function addUsers(job: Command, name: string, description: string): Command {
  return personOptions(job.command(name).description(description), "a user").option(
    "--timeout <time>",
    "give up after this time, such as 90s or 2h",
    durationUpTo(MONTH_MS),
  );
}

/** One that is about a job. */
function addAbout(job: Command, name: string, description: string): Command {
  return addUsers(job, name, description).argument("<id>", "of the job", jobId);
}

function addFile(job: Command, contextOf: ContextOf): void {
  job
    .command("schema")
    .description("print the JSON Schema of job.yaml, for editors")
    .action(async (_options, command: Command) => {
      const { printJobSchema } = await import("../commands/job-file.ts");
      printJobSchema(contextOf(command));
    });
  job
    .command("check")
    .description("say what a job's file would hand in, and whether its model can be trained so")
    .argument("<file>", "job.yaml")
    .action(async (file: string, _options, command: Command) => {
      const { checkJobFile } = await import("../commands/job-file.ts");
      await checkJobFile(file, contextOf(command));
    });
}

function addSubmit(job: Command, contextOf: ContextOf): void {
  addUsers(job, "submit", "sign a job and hand it in")
    .argument("<file>", "job.yaml")
    .option("--submit-token <text>", "handed in again with the same token, it is the same job")
    .option("--watch", "follow it to its end")
    .option("--study <name>", "whose job it is, where the file names no study")
    .action(async (file: string, _options, command: Command) => {
      const { submitJob } = await import("../commands/job-submit.ts");
      await submitJob(file, command.opts(), contextOf(command));
    });
}

function addClone(job: Command, contextOf: ContextOf): void {
  addAbout(job, "clone", "make a new job of one that you may clone, signed by you")
    .option(
      "--set <field=value>",
      "what it has in place of what the job has: name, purpose, rounds, minimumSites, sites, mandatorySites (a,b,c)",
      repeated,
    )
    .option("--submit-token <text>", "cloned again with the same token, it is the same job")
    .option("--watch", "follow it to its end")
    .action(async (id: string, _options, command: Command) => {
      const { cloneJob } = await import("../commands/job-clone.ts");
      await cloneJob(id, command.opts(), contextOf(command));
    });
}

function addDelete(job: Command, contextOf: ContextOf): void {
  addAbout(job, "delete", "delete a job that has ended, with everything that is kept of it")
    .option("--reason <text>", "why, for people", "")
    .action(async (id: string, _options, command: Command) => {
      const { deleteJob } = await import("../commands/job-follow.ts");
      await deleteJob(id, command.opts(), contextOf(command));
    });
}

function addLooks(job: Command, contextOf: ContextOf): void {
  addUsers(job, "list", "list the jobs that you may see, the newest first")
    .option("--study <name>", "of this study alone")
    .option("--most <n>", "so many", integerFrom(1, 10_000), 50)
    .action(async (_options, command: Command) => {
      const { listJobs } = await import("../commands/job-look.ts");
      await listJobs(command.opts(), contextOf(command));
    });
  addAbout(job, "show", "show a job as it is now: state, sites, rounds").action(
    async (id: string, _options, command: Command) => {
      const { showJob } = await import("../commands/job-look.ts");
      await showJob(id, command.opts(), contextOf(command));
    },
  );
  addAbout(job, "logs", "print what happened: rounds, what each site did, refusals with their cause")
    .option("--follow", "go on until the job has ended")
    .action(async (id: string, _options, command: Command) => {
      const { printJobLogs } = await import("../commands/job-look.ts");
      await printJobLogs(id, command.opts(), contextOf(command));
    });
}

function addFollowing(job: Command, contextOf: ContextOf): void {
  addAbout(job, "watch", "tell each round until the job ends").action(
    async (id: string, _options, command: Command) => {
      const { watchJob } = await import("../commands/job-follow.ts");
      await watchJob(id, command.opts(), contextOf(command));
    },
  );
  addAbout(
    job,
    "wait",
    "wait for the end of a job: 0 when it finished, 1 when it failed or was aborted",
  ).action(async (id: string, _options, command: Command) => {
    const { waitForJob } = await import("../commands/job-follow.ts");
    await waitForJob(id, command.opts(), contextOf(command));
  });
  addAbout(job, "abort", "end a job for good; its sites see who ordered it")
    .option("--reason <text>", "why, for people", "")
    .action(async (id: string, _options, command: Command) => {
      const { abortJob } = await import("../commands/job-follow.ts");
      await abortJob(id, command.opts(), contextOf(command));
    });
}

function addDownload(job: Command, contextOf: ContextOf): void {
  addAbout(job, "download", "fetch the newest model as ONNX, and the job's figures")
    .requiredOption("-o, --out <folder>", "folder to make")
    .action(async (id: string, _options, command: Command) => {
      const { downloadJob } = await import("../commands/job-download.ts");
      await downloadJob(id, command.opts(), contextOf(command));
    });
}
