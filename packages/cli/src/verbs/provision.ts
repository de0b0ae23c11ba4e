import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus provision`. */
export function addProvision(program: Command, contextOf: ContextOf): void {
  program
    .command("provision")
    .description("make a project: a startup kit for the server and each site, adapter and user")
    .requiredOption("-p, --project <file>", "definition of the project, YAML")
    .requiredOption("-o, --out <folder>", "folder to make")
    .action(async (_options, command: Command) => {
      const { provision } = await import("../commands/provision.ts");
      await provision(command.opts(), contextOf(command));
    });
}
