import type { Command } from "commander";
import { integerFrom } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus provision`. */
export function addProvision(program: Command, contextOf: ContextOf): void {
  program
    .command("provision")
    .description("make a project, or bring it in step with its definition: a startup kit per participant")
    .argument("[file]", "definition of the project, YAML")
    .option("-p, --project <file>", "the same, as an option")
    .requiredOption("-o, --out <folder>", "folder of the project: made, or changed where the definition did")
    .option("--zip", "make a zip file of each new kit too")
    .option("--renew <names...>", "participants that get a new kit though nothing changed")
    .option("--new-server-keys", "let the server begin anew: models at rest are lost, pages join again")
    .option("--kit <folder>", "kit of the server on this machine: it is told of machines and revocations")
    .option("--signer <program>", "program that signs by the root's key, where it lies elsewhere")
    .option("--signer-key <file>", "public key of that program, PEM")
    .option("--passphrase-fd <n>", "file descriptor that yields the root's passphrase", integerFrom(0, 1_023))
    .option("--passphrase-file <file>", "file that holds it; default: a secret that is generated")
    .action(async (file: string | undefined, _options, command: Command) => {
      const { provision } = await import("../commands/provision.ts");
      await provision(file, command.opts(), contextOf(command));
    });
}
