import type { Command } from "commander";
import { integerFrom, oneOf, repeated, textUpTo } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus audit verify|tail|export|report|erase|accept-loss`. */
export function addAudit(program: Command, contextOf: ContextOf): void {
  const audit = program.command("audit").description("the record of what happened");
  placeOptions(
    audit.command("verify").description("recompute the chain and name the first record that is broken"),
  )
    .option("--witness <file>", "export of the other side: its signed heads of this chain must be in it")
    .option("--name <name>", "whose chain this is, where the other side witnesses several")
    .option("--certificate <file>", "certificate that signed the heads; may be repeated", repeated)
    .action(async (_options, command: Command) => {
      const { verifyAudit } = await import("../commands/audit.ts");
      await verifyAudit(command.opts(), contextOf(command));
    });
  placeOptions(audit.command("tail").description("print the last records"))
    .option("--lines <n>", "records to print", integerFrom(1, 100_000), 20)
    .action(async (_options, command: Command) => {
      const { tailAudit } = await import("../commands/audit.ts");
      await tailAudit(command.opts(), contextOf(command));
    });
  placeOptions(audit.command("export").description("write the records into a file"))
    .requiredOption("-o, --output <file>", "file to write; must not exist")
    .option(
      "--format <format>",
      "jsonl, which verifies, or csv, a table for people",
      oneOf("jsonl", "csv"),
      "jsonl",
    )
    .option("--without-names", "commitments in place of names: who verifies need not know who they are")
    .action(async (_options, command: Command) => {
      const { exportRecords } = await import("../commands/audit-export.ts");
      await exportRecords(command.opts(), contextOf(command));
    });
  placeOptions(audit.command("report").description("say what left which site, or what somebody did"))
    .option("--job <id>", "data flows of a job: what left which site, and who got the result")
    .option("--user <name>", "everything that a user did, or tried to")
    .option("--participant <name>", "everything that a participant did or that was done to it")
    .action(async (_options, command: Command) => {
      const { reportRecords } = await import("../commands/audit-report.ts");
      await reportRecords(command.opts(), contextOf(command));
    });
  audit
    .command("erase")
    .description("erase somebody's name from the records; their chain stays as it is")
    .requiredOption("--state <folder>", "state folder of a server or site, which must not run")
    .requiredOption("--name <name>", "name as certificates, or the identity provider, have it", textUpTo(500))
    .requiredOption("--reason <text>", "why, without the name: it stands in the records", textUpTo(500))
    .action(async (_options, command: Command) => {
      const { eraseName } = await import("../commands/audit-erase.ts");
      await eraseName(command.opts(), contextOf(command));
    });
  audit
    .command("accept-loss")
    .description("record that records of a site are lost for good, so that it takes jobs again")
    .requiredOption("--state <folder>", "state folder of the site, which must not run")
    .requiredOption("--reason <text>", "why, for whoever reads the records", textUpTo(500))
    .action(async (_options, command: Command) => {
      const { acceptLoss } = await import("../commands/audit-loss.ts");
      await acceptLoss(command.opts(), contextOf(command));
    });
}

/** Where the records are. */
function placeOptions(command: Command): Command {
  return command
    .option("--state <folder>", "state folder of a server, which must not run, or of a site")
    .option("--file <file>", "an export in place of a state folder");
}
