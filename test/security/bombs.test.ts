import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { allBombs } from "./equipment/bombs.ts";

/** Memory by which all bombs together may raise a process, the garbage of its heap included, in MiB. */
const CEILING_MIB = 64;
/** The same for the heaviest message that is allowed, whose sender has proved who he is. */
const HEAVIEST_MIB = 192;

interface Outcome {
  readonly name: string;
  readonly outcome: string;
  readonly risenMiB: number;
}

/** Reads all bombs in a process of its own, whose heap is bounded as well. */
async function readInAProcess(): Promise<readonly Outcome[]> {
  const script = fileURLToPath(new URL("equipment/bomb-process.ts", import.meta.url));
  const options = ["--conditions=@photinus/source", "--import", "tsx", "--max-old-space-size=256"];
  const { stdout } = await promisify(execFile)(process.execPath, [...options, script]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Outcome); // written by bomb-process.ts
}

test("bombs of MessagePack, DER and manifests are refused, and memory stays under its ceiling", async () => {
  const outcomes = await readInAProcess();
  const bombs = outcomes.slice(0, -1);
  const heaviest = outcomes.at(-1);

  expect(bombs.map(({ name }) => name)).toEqual(allBombs().map(({ name }) => name));
  for (const { name, outcome } of bombs) expect(outcome, name).toMatch(/^ERR_[A-Z_]+$/);
  expect(bombs.at(-1)?.risenMiB).toBeLessThan(CEILING_MIB);
  // What is taken does cost something: the figures above are not those of a measure that measures nothing.
  expect(heaviest?.outcome).toBe("taken");
  expect(heaviest?.risenMiB).toBeGreaterThan(bombs.at(-1)?.risenMiB ?? 0);
  expect(heaviest?.risenMiB).toBeLessThan(HEAVIEST_MIB);
}, 60_000);
