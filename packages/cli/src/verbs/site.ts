import type { Command } from "commander";
import { durationUpTo, integerFrom, oneOf } from "../arguments.ts";
import type { ContextOf } from "../context.ts";
import { administratorOptions } from "./administrator-options.ts";

const WEEK_MS = 7 * 86_400_000;

/** `photinus site start|list|suspend|resume`. */
export function addSite(program: Command, contextOf: ContextOf): void {
  const site = program.command("site").description("a site that trains on its own data");
  addAdministration(site, contextOf);
  site
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

function addAdministration(site: Command, contextOf: ContextOf): void {
  administratorOptions(site.command("list").description("list the sites of a running server"))
    .option("--study <name>", "those of this study alone, which you are in")
    .action(async (_options, command: Command) => {
      const { listSites } = await import("../commands/certificates.ts");
      await listSites(command.opts(), contextOf(command));
    });
  for (const kind of ["suspend", "resume"] as const) {
    const description =
      kind === "suspend" ? "end its sessions at once and admit it no more" : "admit it again";
    const command = administratorOptions(
      site.command(kind).description(description).argument("<name>", "of the site, user or server"),
    )
      .requiredOption("--reason <text>", "why")
      .option("--certificate <file>", "its certificate, PEM, when the server does not know it now");
    if (kind === "suspend")
      command.option("--for <time>", "for how long, such as 12h", durationUpTo(WEEK_MS), WEEK_MS);
    command.action(async (name: string, _options, self: Command) => {
      const { suspendParticipant } = await import("../commands/certificates.ts");
      await suspendParticipant(name, { ...self.opts(), kind }, contextOf(self));
    });
  }
}
