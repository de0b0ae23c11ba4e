import { Command } from "commander";
import { addresses, integerFrom, oneOf } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import type { TerminalStreams } from "./terminal.ts";
import { installedVersion } from "./version.ts";

/** Makes the context of a command once its global options are known. */
export type CreateContext = (isJson: boolean) => CommandContext;

const port = integerFrom(0, 65_535);

function addDemo(program: Command, contextOf: (command: Command) => CommandContext): void {
  program
    .command("demo")
    .description("three sites on this machine learn MNIST together, and you watch")
    .option("--rounds <n>", "rounds to run", integerFrom(1, 1_000), 10)
    .option("--sites <n>", "sites to start", integerFrom(1, 16), 3)
    .option("--model <name>", "cnn or mlp", oneOf("cnn", "mlp"), "cnn")
    .option("--port <n>", "port; default 8080, else the next free one", port)
    .option("--lan", "serve the network by TLS of the demo's own authority")
    .option("--data <folder>", "MNIST in IDX form; default: what comes with Photinus")
    .option("--exit", "stop after the last round instead of serving on")
    .option("--no-open", "do not open a browser")
    .action(async (_options, command: Command) => {
      const { runDemo } = await import("./demo/run-demo.ts");
      await runDemo(command.opts(), contextOf(command));
    });
}

function addServer(program: Command, contextOf: (command: Command) => CommandContext): void {
  program
    .command("server")
    .description("the server of a project")
    .command("start")
    .description("start the server")
    .requiredOption("--kit <folder>", "startup kit of the server")
    .requiredOption("--state <folder>", "folder for records and models; made when it is missing")
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option("--port <n>", "port", port, 8080)
    .option("--clear", "no TLS of its own: on loopback, or behind a proxy that ends TLS")
    .option("--trusted-proxy <address>", "proxy whose X-Forwarded-For limits count by; repeatable", addresses)
    .option("--proxy-protocol", "connections of trusted proxies begin with a PROXY header, version 1 or 2")
    .option("--no-pages", "serve no pages")
    .option("--token-file <file>", "file to write a read-only token for dashboard and metrics to")
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit")
    .action(async (_options, command: Command) => {
      const { startServer } = await import("./commands/server-start.ts");
      await startServer(command.opts(), contextOf(command));
    });
}

function addSite(program: Command, contextOf: (command: Command) => CommandContext): void {
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
      const { startSite } = await import("./commands/site-start.ts");
      await startSite(command.opts(), contextOf(command));
    });
}

function addProvision(program: Command, contextOf: (command: Command) => CommandContext): void {
  program
    .command("provision")
    .description("make a project: a startup kit for the server and each site, adapter and user")
    .requiredOption("-p, --project <file>", "definition of the project, YAML")
    .requiredOption("-o, --out <folder>", "folder to make")
    .action(async (_options, command: Command) => {
      const { provision } = await import("./commands/provision.ts");
      await provision(command.opts(), contextOf(command));
    });
  program
    .command("revoke")
    .description("revoke certificates of a project, or with no names renew its list of revoked ones")
    .argument("[names...]", "participants, as the definition of the project names them")
    .option("-p, --project <folder>", "folder that provision made, with the root's key")
    .option("--pages", "the names are of sites that joined by a link; their server revokes them")
    .option(
      "--kit <folder>",
      "startup kit of the server on this machine: the list is put where the server looks",
    )
    .option(
      "--reason <name>",
      "why: keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn",
      oneOf(
        ...["unspecified", "keyCompromise", "affiliationChanged"],
        ...["superseded", "cessationOfOperation", "privilegeWithdrawn"],
      ),
      "unspecified",
    )
    .option("--passphrase-fd <n>", "file descriptor that yields the root's passphrase", integerFrom(0, 1_023))
    .option("--passphrase-file <file>", "file that holds the root's passphrase; default: secrets/root-key")
    .action(async (names: string[], _options, command: Command) => {
      const { revokeParticipants } = await import("./commands/revoke.ts");
      await revokeParticipants(names, command.opts(), contextOf(command));
    });
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
      const { invite } = await import("./commands/invite.ts");
      await invite(command.opts(), contextOf(command));
    });
}

function addAudit(program: Command, contextOf: (command: Command) => CommandContext): void {
  const audit = program.command("audit").description("the record of what happened");
  audit
    .command("verify")
    .description("recompute the chain of records and name the first that is broken")
    .requiredOption("--state <folder>", "state folder of the server")
    .action(async (_options, command: Command) => {
      const { verifyAudit } = await import("./commands/audit.ts");
      await verifyAudit(command.opts(), contextOf(command));
    });
  audit
    .command("tail")
    .description("print the last records")
    .requiredOption("--state <folder>", "state folder of the server")
    .option("--lines <n>", "records to print", integerFrom(1, 100_000), 20)
    .action(async (_options, command: Command) => {
      const { tailAudit } = await import("./commands/audit.ts");
      await tailAudit(command.opts(), contextOf(command));
    });
}

function addKit(program: Command, contextOf: (command: Command) => CommandContext): void {
  const kit = program.command("kit").description("startup kits");
  kit
    .command("inspect")
    .description("say whose kit it is and what is in it")
    .argument("<folder>", "startup kit")
    .action(async (folder: string, _options, command: Command) => {
      const { inspectKit } = await import("./commands/kit.ts");
      await inspectKit(folder, contextOf(command));
    });
  kit
    .command("verify")
    .description("check every file of a kit against its signed manifest")
    .argument("<folder>", "startup kit")
    .action(async (folder: string, _options, command: Command) => {
      const { verifyKit } = await import("./commands/kit.ts");
      await verifyKit(folder, contextOf(command));
    });
}

/** The command line: parsed here, each command loaded when it is used. */
export function createProgram(createContext: CreateContext, streams?: TerminalStreams): Command {
  const program = new Command("photinus")
    .description("Federated learning among Node hosts and web pages")
    .version(installedVersion(), "--version", "print the version")
    .option("--json", "print one object on standard output, progress on standard error")
    .showHelpAfterError("Try: photinus --help")
    .exitOverride();
  if (streams !== undefined) {
    program.configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    });
  }
  const contextOf = (command: Command): CommandContext =>
    createContext(command.optsWithGlobals()["json"] === true);
  addDemo(program, contextOf);
  addServer(program, contextOf);
  addSite(program, contextOf);
  addProvision(program, contextOf);
  addAudit(program, contextOf);
  addKit(program, contextOf);
  return program;
}
