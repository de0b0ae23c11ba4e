import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus init`. */
export function addInit(program: Command, contextOf: ContextOf): void {
  program
    .command("init")
    .description("write a first definition of a project, project.yml; on a terminal it asks")
    .argument("[folder]", "folder to write into", ".")
    .option("--name <name>", "name of the project")
    .option("--org <name>", "organization that runs the server")
    .option("--host <name>", "host name or address of the server")
    .option("--port <n>", "port of the server", integerFrom(1, 65_535))
    .option("--admin <e-mail>", "the project's administrator")
    .option("--sites <n>", "number of sites", integerFrom(0, 10_000))
    .option("-y, --yes", "ask nothing")
    .action(async (folder: string, _options, command: Command) => {
      const { init } = await import("../commands/init.ts");
      await init(folder, command.opts(), contextOf(command));
    });
}
