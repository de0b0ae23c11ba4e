import type { Command } from "commander";
import { integerFrom, oneOf, port } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus demo`. */
export function addDemo(program: Command, contextOf: ContextOf): void {
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
      const { runDemo } = await import("../demo/run-demo.ts");
      await runDemo(command.opts(), contextOf(command));
    });
}
