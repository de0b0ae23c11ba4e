import type { Command } from "commander";
import { integerFrom, oneOf } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus site start`. */
export function addSite(program: Command, contextOf: ContextOf): void {
  program
    .command("site")
    .description("a site that trains on its own data")
    .command("start")
    .description("start the site")
    .requiredOption("--kit <folder>", "startup kit of the site")
    .requiredOption("--data <folder>", "folder with the site's data, each set described by <name>.json")
    .option("--state <folder>", "folder for what the site has to remember; default: local/state in its kit")
    .option("--server <url>", "address of the server's socket; default: what the kit says")
    .option("--proxy <url>", "HTTP proxy to the server, or none; default: HTTPS_PROXY without NO_PROXY")
    .option("--device <name>", "auto, cpu, cuda or webgpu", oneOf("auto", "cpu", "cuda", "webgpu"))
    .option("--threads <n>", "threads of ONNX Runtime", integerFrom(1, 256))
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit")
    .option("--until-stdin-closes", "stop when standard input ends: a child of another program")
    .action(async (_options, command: Command) => {
      const { startSite } = await import("../commands/site-start.ts");
      await startSite(command.opts(), contextOf(command));
    });
}
