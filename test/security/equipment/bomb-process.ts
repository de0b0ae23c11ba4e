import { PhotinusError } from "@photinus/core/errors";
import { allBombs, heaviestMessage } from "./bombs.ts";

// Reads one bomb after another and tells, one line of JSON each, what came of it and how far the memory of the process
// has risen since the start.

const KIB = 1024;
const bombs = [...allBombs(), heaviestMessage()];
const startKiB = process.resourceUsage().maxRSS;

for (const { name, sent, read } of bombs) {
  let outcome = "taken";
  try {
    await read();
  } catch (error) {
    outcome = error instanceof PhotinusError ? error.code : String(error);
  }
  const risenMiB = (process.resourceUsage().maxRSS - startKiB) / KIB;
  process.stdout.write(`${JSON.stringify({ name, sent, outcome, risenMiB })}\n`);
}
