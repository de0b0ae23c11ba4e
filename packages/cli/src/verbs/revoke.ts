import type { Command } from "commander";
import { integerFrom, oneOf } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

/** `photinus revoke`. */
export function addRevoke(program: Command, contextOf: ContextOf): void {
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
    .option("--signer <program>", "program that signs by the root's key, where it lies elsewhere")
    .option("--signer-key <file>", "public key of that program, PEM")
    .option("--passphrase-fd <n>", "file descriptor that yields the root's passphrase", integerFrom(0, 1_023))
    .option("--passphrase-file <file>", "file that holds the root's passphrase; default: secrets/root-key")
    .action(async (names: string[], _options, command: Command) => {
      const { revokeParticipants } = await import("../commands/revoke.ts");
      await revokeParticipants(names, command.opts(), contextOf(command));
    });
}
