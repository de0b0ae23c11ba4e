import { readFileSync } from "node:fs";
import { PhotinusError } from "@photinus/core/errors";
import { allBombs, heaviestMessage } from "./bombs.ts";

// Reads one bomb after another and tells, one line of JSON each, what came of it and how far the memory of the process
// has risen since the start.

const KIB = 1024;

/** Largest resident set since this program began, KiB (proc(5)); what getrusage tells begins with that of the parent. */
const peakKiB = (): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

const bombs = [...allBombs(), heaviestMessage()];
const startKiB = peakKiB();

for (const { name, sent, read } of bombs) {
  let outcome = "taken";
  try {
    await read();
  } catch (error) {
    outcome = error instanceof PhotinusError ? error.code : String(error);
  }
  const risenMiB = (peakKiB() - startKiB) / KIB;
  process.stdout.write(`${JSON.stringify({ name, sent, outcome, risenMiB })}\n`);
}
