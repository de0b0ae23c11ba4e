import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPages } from "./build-pages.ts";
import { findChromium } from "./chromium.ts";
import { findNginx, findSystemdAnalyze } from "./nginx.ts";
import { ROOT, run, runProgram } from "./process.ts";
import {
  type Counts,
  closingLine,
  faultsOf,
  playwrightCounts,
  type RunnerResult,
  vitestCounts,
} from "./test-results.ts";

/** A test runner: how it is called so that it writes its counts to a file. */
interface Runner {
  readonly name: string;
  /** Which files it runs, as paths from the root without the mark `.long`. */
  readonly files: RegExp;
  readonly command: readonly string[];
  readonly environment: (reportPath: string) => Readonly<Record<string, string>>;
  readonly counts: (report: unknown) => Counts;
}

const vitest = (project: string, files: RegExp): Runner => ({
  name: project,
  files,
  command: ["vitest", "run", "--project", project, "--reporter=default", "--reporter=json"],
  environment: () => ({}),
  counts: vitestCounts,
});

const playwright: Runner = {
  name: "e2e",
  files: /^test\/e2e\/.*\.test\.ts$/,
  command: ["playwright", "test", "--reporter=list,json"],
  environment: (reportPath) => ({
    PLAYWRIGHT_JSON_OUTPUT_FILE: reportPath,
    NODE_OPTIONS: "--conditions=@photinus/source",
  }),
  counts: playwrightCounts,
};

const RUNNERS: readonly Runner[] = [
  vitest("library", /^packages\/(?:core|training)\/test\/.*(?<!\.browser|\.webgpu)\.test\.ts$/),
  vitest(
    "node",
    /^(?:packages\/(?!core\/|training\/)[^/]+\/)?test\/(?!e2e\/).*(?<!\.browser|\.webgpu)\.test\.ts$/,
  ),
  vitest(
    "browser",
    /^packages\/(?:(?:core|training)\/test\/.*(?<!\.node|\.webgpu)|(?:web-client|monitor)\/test\/.*\.browser)\.test\.ts$/,
  ),
  vitest("webgpu", /^packages\/[^/]+\/test\/.*\.webgpu\.test\.ts$/),
  playwright,
];

/** The runners that have `*.long.test.ts` files. */
function runnersWithLongTests(): readonly Runner[] {
  const folders = ["test", ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/test`)];
  const files = folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) => {
      const inside = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
      return inside.map((file) => `${folder}/${file}`);
    })
    .filter((file) => file.endsWith(".long.test.ts"))
    .map((file) => file.replace(".long.", "."));
  return RUNNERS.filter(({ files: own }) => files.some((file) => own.test(file)));
}

async function runTests(
  runner: Runner,
  environment: Readonly<Record<string, string>>,
): Promise<RunnerResult> {
  const folder = mkdtempSync(join(tmpdir(), "photinus-test-"));
  const report = join(folder, "report.json");
  const output = runner.command[0] === "vitest" ? [`--outputFile.json=${report}`] : [];
  try {
    const env = { ...environment, ...runner.environment(report) };
    const { status } = await run("npx", ["--no-install", ...runner.command, ...output], { env });
    if (!existsSync(report)) return { runner: runner.name, passed: 0, failed: 1, skipped: 0 };
    const counts = runner.counts(JSON.parse(readFileSync(report, "utf8")));
    // An error outside of any test (an unhandled rejection, say) is in the status only.
    const failed = status !== 0 && counts.failed === 0 ? 1 : counts.failed;
    return { runner: runner.name, ...counts, failed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const long = process.argv.includes("--long");
  // Without `--long` every runner must run something; long tests exist for some of them only.
  const runners = long ? runnersWithLongTests() : RUNNERS;
  const environment = { CHROMIUM_PATH: await findChromium(), ...(long ? { LONG: "1" } : {}) };
  await findNginx();
  await findSystemdAnalyze();
  await buildPages();
  const results: RunnerResult[] = [];
  for (const runner of runners) {
    console.log(`\n== ${runner.name}`);
    results.push(await runTests(runner, environment));
  }
  for (const { runner, passed, failed, skipped } of results) {
    console.log(`${runner}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  const faults = faultsOf(results);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  console.log(closingLine(results));
}

runProgram(main);
