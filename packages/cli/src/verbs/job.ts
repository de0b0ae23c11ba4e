import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus job schema|check`. */
export function addJob(program: Command, contextOf: ContextOf): void {
  const job = program.command("job").description("jobs: hand in, follow, end, fetch what came of them");
  addFile(job, contextOf);
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
