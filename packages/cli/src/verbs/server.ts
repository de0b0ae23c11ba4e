import type { Command } from "commander";
import { addresses, integerFrom, port } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus server start`. */
export function addServer(program: Command, contextOf: ContextOf): void {
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
    .option(
      "--public-certificate <file>",
      "PEM chain of a public CA, presented where a page asks for its names",
    )
    .option("--public-key <file>", "its private key, PEM, not encrypted")
    .option("--trusted-proxy <address>", "proxy whose X-Forwarded-For limits count by; repeatable", addresses)
    .option("--proxy-protocol", "connections of trusted proxies begin with a PROXY header, version 1 or 2")
    .option(
      "--reconnect-grace <seconds>",
      "how long a site that was lost in a task may take to come back; 15 by default",
      integerFrom(1, 3_600),
    )
    .option(
      "--approvals <n>",
      "administrators who have to approve a request, 1 or 2; never fewer than project.yml says",
      integerFrom(1, 2),
    )
    .option("--no-pages", "serve no pages")
    .option("--token-file <file>", "file to write a read-only token for dashboard and metrics to")
    .option(
      "--passphrase-fd <n>",
      "file descriptor that yields the passphrase of the kit",
      integerFrom(0, 1_023),
    )
    .option("--passphrase-file <file>", "file that holds the passphrase of the kit")
    .action(async (_options, command: Command) => {
      const { startServer } = await import("../commands/server-start.ts");
      await startServer(command.opts(), contextOf(command));
    });
}
