import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus audit verify|tail`. */
export function addAudit(program: Command, contextOf: ContextOf): void {
  const audit = program.command("audit").description("the record of what happened");
  audit
    .command("verify")
    .description("recompute the chain of records and name the first that is broken")
    .requiredOption("--state <folder>", "state folder of the server, or of a site")
    .action(async (_options, command: Command) => {
      const { verifyAudit } = await import("../commands/audit.ts");
      await verifyAudit(command.opts(), contextOf(command));
    });
  audit
    .command("tail")
    .description("print the last records")
    .requiredOption("--state <folder>", "state folder of the server, or of a site")
    .option("--lines <n>", "records to print", integerFrom(1, 100_000), 20)
    .action(async (_options, command: Command) => {
      const { tailAudit } = await import("../commands/audit.ts");
      await tailAudit(command.opts(), contextOf(command));
    });
}
