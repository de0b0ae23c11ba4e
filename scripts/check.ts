import { reportBundles } from "./bundle-report.ts";
import { checkPackedPackages } from "./packed-packages.ts";
import { run, runOrThrow, runProgram } from "./process.ts";
import { readmeTestCommand } from "./readme.ts";
import { type Counts, closingLine, parseClosingLine } from "./test-results.ts";

/** One step of the check; it throws when it fails. A step that runs no tests counts as one. */
interface Step {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

const ONE_PASSED: Counts = { passed: 1, failed: 0, skipped: 0 };

const command = (name: string, ...words: readonly string[]): Step => ({
  name,
  run: async () => {
    const [program = "", ...args] = words;
    await runOrThrow(program, args);
    return ONE_PASSED;
  },
});

const tests = (name: string, words: () => readonly string[]): Step => ({
  name,
  run: async () => {
    const [program = "", ...args] = words();
    const { status, output } = await run(program, args, { output: "both" });
    const counts = parseClosingLine(output);
    if (status !== 0 || counts.failed > 0 || counts.passed === 0) throw new Error(`${name} failed`);
    return counts;
  },
});

const gate = (name: string, act: () => Promise<void>): Step => ({
  name,
  run: async () => {
    await act();
    return ONE_PASSED;
  },
});

/** Cheap and telling first; the check stops at the first step that fails. */
const STEPS: readonly Step[] = [
  command("format and lint", "npx", "--no-install", "biome", "ci", "--colors=off", "."),
  command("packages compile", "npx", "--no-install", "tsc", "-b"),
  command("tests and scripts compile", "npx", "--no-install", "tsc", "-p", "tsconfig.test.json"),
  command("core under Node's types", "npx", "--no-install", "tsc", "-p", "packages/core/tsconfig.node.json"),
  command(
    "training under Node's types",
    "npx",
    "--no-install",
    "tsc",
    "-p",
    "packages/training/tsconfig.node.json",
  ),
  command("npm ci accepts the lock", "npm", "ci", "--dry-run"),
  tests("the README's test command", readmeTestCommand),
  gate("bundles", reportBundles),
  gate("packed packages", checkPackedPackages),
  command("dead code", "npx", "--no-install", "knip"),
  command("documentation", "npm", "run", "--silent", "docs"),
  tests("long tests", () => ["npm", "run", "--silent", "test:long"]),
];

async function main(): Promise<void> {
  const results: Counts[] = [];
  for (const { name, run: act } of STEPS) {
    console.log(`\n=== ${name}`);
    const startMs = performance.now();
    try {
      results.push(await act());
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      results.push({ passed: 0, failed: 1, skipped: 0 });
    }
    const failed = results.at(-1)?.failed !== 0;
    console.log(
      `=== ${name}: ${failed ? "FAILED" : "ok"}, ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
    );
    if (failed) break;
  }
  if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
  console.log(closingLine(results));
}

runProgram(main);
