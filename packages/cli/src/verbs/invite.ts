import { type Command, InvalidArgumentError } from "commander";
import { durationUpTo, integerFrom } from "../arguments.ts";
import type { ContextOf } from "../context.ts";
import { administratorOptions } from "./administrator-options.ts";

const DAY_MS = 86_400_000;

/** `photinus invite`, `photinus invites list|withdraw`. */
export function addInvite(program: Command, contextOf: ContextOf): void {
  administratorOptions(
    program.command("invite").description("make a link by which sites join, at the running server"),
  )
    .requiredOption("--org <name>", "organization of who joins")
    .option("--role <name>", "role of who joins; the server issues sites only", oneRole, "site")
    .option("--prefix <name>", "beginning of their names", "guest")
    .option("--name <name>", "one name instead: of a new site, or for a further device of one that joined")
    .option("--study <name>", "study whose sites they become; you are in it")
    .option("--uses <n>", "how many may join", integerFrom(1, 10_000), 1)
    .option("--expires <time>", "for how long, such as 12h or 7d", durationUpTo(366 * DAY_MS), DAY_MS)
    .option("--origin <url>", "address of the server's pages; default: that of the server in the kit")
    .action(async (_options, command: Command) => {
      const { invite } = await import("../commands/invite.ts");
      await invite(command.opts(), contextOf(command));
    });
  const invites = program.command("invites").description("links by which sites join");
  administratorOptions(invites.command("list").description("list invites")).action(
    async (_options, command: Command) => {
      const { listInvites } = await import("../commands/invite.ts");
      await listInvites(command.opts(), contextOf(command));
    },
  );
  administratorOptions(
    invites.command("withdraw").description("end an invite").argument("<id>", "as `invites list` shows it"),
  )
    .requiredOption("--reason <text>", "why")
    .action(async (id: string, _options, command: Command) => {
      const { withdrawInvite } = await import("../commands/invite.ts");
      await withdrawInvite(id, command.opts(), contextOf(command));
    });
}

/** The enrolment CA issues sites: others are issued by the root's key, which no server has. */
function oneRole(text: string): string {
  if (text === "site") return text;
  throw new InvalidArgumentError("a server issues certificates of sites only; others are provisioned.");
}
