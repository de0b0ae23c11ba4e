import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defaultClientConditions, defaultServerConditions, type InlineConfig, type Plugin } from "vite";
import { isProgram, ROOT, runProgram } from "./process.ts";

/** What a bundle of one entry must not hold. A size ceiling finds much; a name finds what does not belong. */
export interface BundleRule {
  readonly name: string;
  /** Path from the root. */
  readonly entry: string;
  /** `page` bundles everything, `node` leaves the packages of others as imports. */
  readonly runtime: "page" | "node";
  /** No module whose id matches, and no import of it, may be in the bundle. */
  readonly forbiddenModules: readonly RegExp[];
  /** No such text may stand in the code. */
  readonly forbiddenText?: readonly string[];
  readonly maxGzipBytes?: number;
}

/** What one bundle weighs and what is wrong with it. */
export interface BundleReport {
  readonly name: string;
  /** Of the JavaScript, minified, all chunks together. */
  readonly gzipBytes: number;
  readonly faults: readonly string[];
}

const NODE_MODULE = /^node:|__vite-browser-external/;
const ONNX_RUNTIME = /onnxruntime/;
const TRAINING = /packages\/training\//;
const AGGREGATION = /packages\/core\/src\/aggregation\//;

/** The rules of docs/ARCHITECTURE.md, packages. */
export const BUNDLE_RULES: readonly BundleRule[] = [
  {
    name: "web-client",
    entry: "packages/web-client/src/index.ts",
    runtime: "page",
    forbiddenModules: [NODE_MODULE],
    forbiddenText: ['from"node:', 'import("node:'],
  },
  {
    name: "monitor",
    entry: "packages/monitor/src/define.ts",
    runtime: "page",
    forbiddenModules: [NODE_MODULE, ONNX_RUNTIME, TRAINING],
    forbiddenText: ["onnxruntime"],
    maxGzipBytes: 35_000,
  },
  {
    name: "node-server",
    entry: "packages/node-server/src/index.ts",
    runtime: "node",
    forbiddenModules: [ONNX_RUNTIME, TRAINING, /@photinus\/training/],
  },
  {
    name: "core/envelope",
    entry: "packages/core/src/envelope/index.ts",
    runtime: "page",
    forbiddenModules: [NODE_MODULE, AGGREGATION, TRAINING],
    forbiddenText: ["ERR_AGGREGATION", "weighted-mean", "coordinate-median"],
  },
];

/** The parts of a bundle that are looked at. */
interface Chunk {
  readonly code: string;
  /** Ids of the modules inside. */
  readonly modules: readonly string[];
  /** What it imports from outside. */
  readonly imports: readonly string[];
}

/** Serves `text` in place of the file at `entry`, for planted violations. */
const planted = (entry: string, text: string): Plugin => ({
  name: "planted-entry",
  enforce: "pre",
  load: (id) => (id === entry ? text : null),
});

async function bundle(rule: BundleRule, text: string | undefined): Promise<readonly Chunk[]> {
  const { build } = await import("vite");
  const entry = join(ROOT, rule.entry);
  const inNode = rule.runtime === "node";
  const config: InlineConfig = {
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: "error",
    plugins: text === undefined ? [] : [planted(entry, text)],
    resolve: { conditions: ["@photinus/source", ...defaultClientConditions] },
    ssr: {
      noExternal: [/^@photinus\//],
      resolve: { conditions: ["@photinus/source", ...defaultServerConditions] },
    },
    build: {
      write: false,
      target: "es2022",
      minify: "oxc",
      modulePreload: false,
      ...(inNode ? { ssr: true } : {}),
      rollupOptions: { input: entry, preserveEntrySignatures: "strict" },
    },
  };
  const built = await build(config);
  const outputs = Array.isArray(built) ? built : [built];
  return outputs
    .flatMap((result) => ("output" in result ? result.output : []))
    .flatMap((file) => {
      if (file.type !== "chunk") return [];
      const imports = [...file.imports, ...file.dynamicImports];
      return [{ code: file.code, modules: Object.keys(file.modules), imports }];
    });
}

const shorten = (id: string): string => (id.startsWith(ROOT) ? id.slice(ROOT.length) : id);

/** Bundles the entry of `rule`, or `text` in its place, and tells what is wrong. */
export async function reportBundle(rule: BundleRule, text?: string): Promise<BundleReport> {
  const chunks = await bundle(rule, text);
  const code = chunks.map((chunk) => chunk.code).join("\n");
  const gzipBytes = chunks.reduce((sum, chunk) => sum + gzipSync(chunk.code, { level: 9 }).byteLength, 0);
  const ids = [...new Set(chunks.flatMap(({ modules, imports }) => [...modules, ...imports]))];
  const foreign = ids
    .filter((id) => rule.forbiddenModules.some((forbidden) => forbidden.test(id)))
    .map((id) => `${rule.name} holds ${shorten(id)}`);
  const words = (rule.forbiddenText ?? [])
    .filter((forbidden) => code.includes(forbidden))
    .map((forbidden) => `${rule.name} holds the text ${forbidden}`);
  const heavy =
    rule.maxGzipBytes !== undefined && gzipBytes > rule.maxGzipBytes
      ? [`${rule.name} has ${gzipBytes} bytes gzipped, at most ${rule.maxGzipBytes} are allowed`]
      : [];
  return { name: rule.name, gzipBytes, faults: [...foreign, ...words, ...heavy] };
}

/** Reports every bundle. @throws Error with one line for each fault */
export async function reportBundles(): Promise<void> {
  const faults: string[] = [];
  for (const rule of BUNDLE_RULES) {
    const report = await reportBundle(rule);
    console.log(`${report.name.padEnd(16)} ${(report.gzipBytes / 1000).toFixed(1).padStart(8)} kB gzip`);
    faults.push(...report.faults);
  }
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

if (isProgram(import.meta.url)) runProgram(reportBundles);
