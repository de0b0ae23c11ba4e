import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus invite`. */
export function addInvite(program: Command, contextOf: ContextOf): void {
  program
    .command("invite")
    .description("make a link by which pages join; the server must not run meanwhile")
    .requiredOption("--kit <folder>", "startup kit of the server")
    .requiredOption("--state <folder>", "state folder of the server")
    .requiredOption("--origin <url>", "address of the server's pages, such as https://fl.example.org")
    .requiredOption("--org <name>", "organization of who joins")
    .option("--prefix <name>", "beginning of their names", "guest")
    .option("--uses <n>", "how many may join", integerFrom(1, 10_000), 1)
    .option("--hours <n>", "for how long", integerFrom(1, 8_760), 24)
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit")
    .action(async (_options, command: Command) => {
      const { invite } = await import("../commands/invite.ts");
      await invite(command.opts(), contextOf(command));
    });
}
