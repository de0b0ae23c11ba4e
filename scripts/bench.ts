import { readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Benchmark, BenchmarkReport, Machine, Metric } from "../bench/benchmark.ts";
import { isProgram, ROOT, runProgram } from "./process.ts";

/** Files of bench/ that benchmarks share. */
const SHARED = new Set(["benchmark", "paired"]);

function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** The names of the benchmarks. */
export function benchmarkNames(): readonly string[] {
  return readdirSync(join(ROOT, "bench"))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"))
    .filter((name) => !SHARED.has(name));
}

async function load(name: string): Promise<Benchmark> {
  if (!benchmarkNames().includes(name)) {
    throw new Error(`usage: npm run bench -- <${benchmarkNames().join(" | ")}> [--json]`);
  }
  const loaded: Partial<Benchmark> = await import(pathToFileURL(join(ROOT, "bench", `${name}.ts`)).href);
  if (typeof loaded.run !== "function") throw new Error(`bench/${name}.ts exports no function "run"`);
  return { run: loaded.run };
}

const format = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toPrecision(value < 1000 ? 3 : 6);

const COLUMNS: readonly (readonly [title: string, of: (key: string, metric: Metric) => string])[] = [
  ["metric", (key) => key],
  ["value", (_, { value }) => format(value)],
  ["unit", (_, { unit }) => unit],
  ["reference", (_, { reference }) => (reference === undefined ? "" : format(reference))],
  ["ratio", (_, { ratio }) => (ratio === undefined ? "" : format(ratio))],
  ["spread", (_, { spread }) => (spread === undefined ? "" : `${(spread * 100).toFixed(1)} %`)],
];

/** The metrics as a table of text, one line each. */
export function tableOf(metrics: Readonly<Record<string, Metric>>): string {
  const cells = [
    COLUMNS.map(([title]) => title),
    ...Object.entries(metrics).map(([key, metric]) => COLUMNS.map(([, of]) => of(key, metric))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const [name = "", ...args] = words.filter((word) => word !== "--json");
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort(new Error("interrupted")));
  const benchmark = await load(name);
  const result = await benchmark.run({ args, log: (line) => console.error(line), signal: abort.signal });
  const report: BenchmarkReport = {
    benchmark: result.benchmark,
    machine: machine(),
    metrics: result.metrics,
  };
  const { cpu, cores, memoryGiB, node, date } = report.machine;
  const table = `${report.benchmark}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, Node ${node}, ${date}\n${tableOf(report.metrics)}`;
  if (words.includes("--json")) console.error(table);
  else console.log(table);
  if (words.includes("--json")) console.log(JSON.stringify(report));
}

if (isProgram(import.meta.url)) runProgram(main);
