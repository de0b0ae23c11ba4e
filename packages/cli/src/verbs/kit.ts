import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus kit inspect|verify`. */
export function addKit(program: Command, contextOf: ContextOf): void {
  const kit = program.command("kit").description("startup kits");
  kit
    .command("inspect")
    .description("say whose kit it is and what is in it")
    .argument("<folder>", "startup kit")
    .action(async (folder: string, _options, command: Command) => {
      const { inspectKit } = await import("../commands/kit.ts");
      await inspectKit(folder, contextOf(command));
    });
  kit
    .command("verify")
    .description("check every file of a kit against its signed manifest")
    .argument("<folder>", "startup kit")
    .action(async (folder: string, _options, command: Command) => {
      const { verifyKit } = await import("../commands/kit.ts");
      await verifyKit(folder, contextOf(command));
    });
}
