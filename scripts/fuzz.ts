import { parseArgs } from "node:util";
import { keep, keepCrash } from "../test/fuzz/corpus.ts";
import { type FuzzReport, type FuzzTarget, fuzz } from "../test/fuzz/engine.ts";
import { TARGETS } from "../test/fuzz/targets.ts";
import { isProgram, runProgram } from "./process.ts";

const USAGE = `usage: npm run fuzz -- [--minutes 1] [--seed text] [--keep] [${TARGETS.map(({ name }) => name).join(" | ")}]`;

/** What is asked for on the command line. */
interface FuzzRun {
  readonly targets: readonly FuzzTarget[];
  readonly minutes: number;
  readonly seed: string;
  /** Puts inputs that behave in a new way into the corpus. */
  readonly keeps: boolean;
}

/** @throws Error with the usage */
export function parseFuzzArguments(args: readonly string[]): FuzzRun {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { minutes: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } },
  });
  const minutes = Number(values.minutes ?? "1");
  const targets = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const isKnown = positionals.every((name) => TARGETS.some((target) => target.name === name));
  if (!(minutes > 0) || !isKnown) throw new Error(USAGE);
  return { targets, minutes, seed: values.seed ?? String(Date.now()), keeps: values.keep === true };
}

function report(target: FuzzTarget, found: FuzzReport, keeps: boolean): void {
  const { iterations, signatures, discovered, findings } = found;
  console.log(
    `${target.name}: ${iterations} inputs, ${signatures} kinds of outcomes, ${discovered.length} of them new`,
  );
  if (keeps) keep(target.name, discovered);
  for (const { defect, input } of findings) {
    console.error(`${target.name}: ${defect}\n  ${keepCrash(target.name, input, defect)}`);
  }
}

async function main(): Promise<void> {
  const { targets, minutes, seed, keeps } = parseFuzzArguments(process.argv.slice(2));
  console.log(`seed ${seed}, ${minutes} minutes for ${targets.length} targets`);
  let defects = 0;
  for (const target of targets) {
    const endMs = Date.now() + (minutes * 60_000) / targets.length;
    const isOver = (): boolean => Date.now() >= endMs;
    const found = await fuzz(target, { seed, iterations: Number.MAX_SAFE_INTEGER, isOver });
    report(target, found, keeps);
    defects += found.findings.length;
  }
  console.log(defects === 0 ? "no defect" : `${defects} defects; their inputs are in test/fuzz/crashes`);
  if (defects > 0) process.exitCode = 1;
}

if (isProgram(import.meta.url)) runProgram(main);
