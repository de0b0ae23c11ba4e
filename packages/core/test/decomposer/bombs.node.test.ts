import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { BombOutcome } from "./bombs.ts";

// In Node only: another process decodes the bombs, so that its memory is theirs alone.

/** What a payload that is refused may cost. */
const REFUSED_MIB = 8;
/** What the dearest payload of 1 MiB may cost that is within all limits, garbage included. */
const TAKEN_MIB = 160;

/** The process starts a compiler and decodes sixteen megabytes of the worst there is. */
const TIMEOUT_MS = 60_000;

test("bombs are refused before memory is taken for them, and values at the limits stay below a ceiling", {
  timeout: TIMEOUT_MS,
}, () => {
  const program = fileURLToPath(new URL("bombs.ts", import.meta.url));
  const args = ["--expose-gc", "--conditions=@photinus/source", "--import", "tsx", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);

  const outcomes = JSON.parse(stdout) as readonly BombOutcome[];

  const refused = outcomes.filter(({ outcome }) => outcome === "ERR_DECODE_REFUSED");
  const taken = outcomes.filter(({ outcome }) => outcome === "taken");
  expect([refused.length, taken.length]).toEqual([7, 10]);
  expect(Math.max(...refused.map(({ grownMiB }) => grownMiB))).toBeLessThanOrEqual(REFUSED_MIB);
  expect(Math.max(...taken.map(({ grownMiB }) => grownMiB))).toBeLessThanOrEqual(TAKEN_MIB);
});
