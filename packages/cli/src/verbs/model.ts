import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus model inspect`. */
export function addModel(program: Command, contextOf: ContextOf): void {
  const model = program.command("model").description("models to train");
  model
    .command("inspect")
    .description("say what an ONNX file holds, whether it can be trained, and what to change if not")
    .argument("<file>", "ONNX file")
    .action(async (file: string, _options, command: Command) => {
      const { inspectModelFile } = await import("../commands/model.ts");
      await inspectModelFile(file, contextOf(command));
    });
}
