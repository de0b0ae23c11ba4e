import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus project schema`. */
export function addProject(program: Command, contextOf: ContextOf): void {
  program
    .command("project")
    .description("definitions of projects")
    .command("schema")
    .description("print the JSON Schema of project.yml, for editors")
    .action(async (_options, command: Command) => {
      const { printProjectSchema } = await import("../commands/project.ts");
      printProjectSchema(contextOf(command));
    });
}
