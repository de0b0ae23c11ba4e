import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus kit inspect|verify`. */
export function addKit(program: Command, contextOf: ContextOf): void {
  const kit = program.command("kit").description("startup kits");
  kit
    .command("inspect")
    .description("say whose kit it is and what is in it")
    .argument("<kit>", "folder or zip file of a startup kit")
    .option("--root <fingerprint>", "root of the project that it has to be of, as its administrator told it")
    .action(async (path: string, _options, command: Command) => {
      const { inspectKit } = await import("../commands/kit.ts");
      await inspectKit(path, command.opts(), contextOf(command));
    });
  kit
    .command("verify")
    .description("check every file of a kit against its signed manifest")
    .argument("<kit>", "folder or zip file of a startup kit")
    .option("--root <fingerprint>", "root of the project that it has to be of, as its administrator told it")
    .action(async (path: string, _options, command: Command) => {
      const { verifyKit } = await import("../commands/kit.ts");
      await verifyKit(path, command.opts(), contextOf(command));
    });
}
