import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./process.ts";

const INSTALL = "npm ci && ";

/**
 * The command that the README tells a newcomer to test with, without its `npm ci`: the check runs exactly that,
 * so that the two cannot drift apart.
 * @throws Error when `readme` does not hold exactly one line `npm ci && <command with "test">`
 */
export function testCommandOf(readme: string): readonly string[] {
  const lines = readme.split("\n").map((line) => line.trim());
  const commands = lines.filter((line) => line.startsWith(INSTALL) && /\btest\b/.test(line));
  const [command] = commands;
  if (command === undefined || commands.length !== 1) {
    throw new Error(`README.md must hold one line "${INSTALL}<test command>", has ${commands.length}`);
  }
  return command.slice(INSTALL.length).split("#", 1).join("").trim().split(/\s+/);
}

/** {@link testCommandOf} of README.md. */
export function readmeTestCommand(): readonly string[] {
  return testCommandOf(readFileSync(join(ROOT, "README.md"), "utf8"));
}
