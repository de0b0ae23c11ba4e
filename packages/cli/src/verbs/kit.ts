import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus kit inspect|verify`. */
export function addKit(program: Command, contextOf: ContextOf): void {
  const kit = program.command("kit").description("startup kits");
  reading(kit.command("inspect"), "say whose kit it is and what is in it").action(
    async (path: string, _options, command: Command) => {
      const { inspectKit } = await import("../commands/kit.ts");
      await inspectKit(path, command.opts(), contextOf(command));
    },
  );
  reading(kit.command("verify"), "check every file of a kit against its signed manifest").action(
    async (path: string, _options, command: Command) => {
      const { verifyKit } = await import("../commands/kit.ts");
      await verifyKit(path, command.opts(), contextOf(command));
    },
  );
}

function reading(command: Command, description: string): Command {
  return command
    .description(description)
    .argument("<kit>", "folder or zip file of a startup kit")
    .option("--root <fingerprint>", "root of the project that it has to be of, as its administrator told it")
    .option("--passphrase-fd <n>", "file descriptor that yields the secret", integerFrom(0, 1_023))
    .option(
      "--passphrase-file <file>",
      "the secret of a key that the owner of the kit made; default: local/secret in the folder",
    );
}
