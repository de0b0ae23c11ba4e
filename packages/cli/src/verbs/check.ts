import type { Command } from "commander";
import { integerFrom, port } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus check`. */
export function addCheck(program: Command, contextOf: ContextOf): void {
  program
    .command("check")
    .description("look at everything between a kit and its server, and say what to do")
    .requiredOption("--kit <folder>", "startup kit of a site, user, adapter or server")
    .option("--server <url>", "address of the server's socket; default: what the kit says")
    .option("--proxy <url>", "HTTP proxy to the server, or none; default: HTTPS_PROXY without NO_PROXY")
    .option(
      "--state <folder>",
      "folder for what the process has to remember; default: local/state in the kit",
    )
    .option(
      "--idle <seconds>",
      "hold an idle session, to see whether an ingress ends it",
      integerFrom(1, 86_400),
    )
    .option("--no-login", "do not log in, which takes the place of a running process of this kit")
    .option("--host <address>", "servers: address to be listened at", "127.0.0.1")
    .option("--port <n>", "servers: port to be listened at", port, 8080)
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit")
    .action(async (_options, command: Command) => {
      const { check } = await import("../commands/check.ts");
      await check(command.opts(), contextOf(command));
    });
}
