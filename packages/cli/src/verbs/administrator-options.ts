import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";

/** Options that every command of an administrator has. */
export function administratorOptions(command: Command): Command {
  return command
    .requiredOption("--kit <folder>", "startup kit of an administrator")
    .option("--server <url>", "address of the server's socket; default: what the kit says")
    .option("--proxy <url>", "HTTP proxy to the server, or none; default: HTTPS_PROXY without NO_PROXY")
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit");
}
