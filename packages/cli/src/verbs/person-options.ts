import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";

/** Options of every command that acts on a running server. @param whose whose kit it takes, as `an administrator` */
export function personOptions(command: Command, whose: string): Command {
  return command
    .requiredOption("--kit <folder>", `startup kit of ${whose}`)
    .option("--server <url>", "address of the server's socket; default: what the kit says")
    .option("--proxy <url>", "HTTP proxy to the server, or none; default: HTTPS_PROXY without NO_PROXY")
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit");
}
