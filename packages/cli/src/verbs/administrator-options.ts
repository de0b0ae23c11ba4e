import type { Command } from "commander";
import { personOptions } from "./person-options.ts";

/** Options that every command of an administrator has. */
export function administratorOptions(command: Command): Command {
  return personOptions(command, "an administrator");
}
