import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defaultClientConditions, defaultServerConditions, type InlineConfig, type Plugin } from "vite";
import { buildPages } from "./build-pages.ts";
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
  /** Nothing in the code may match. */
  readonly forbiddenText?: readonly RegExp[];
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
/** The second WebCrypto, for hosts without one: pages have their own. */
const PECULIAR = /@peculiar\/|webcrypto-core/;
const AGGREGATION = /packages\/core\/src\/aggregation\//;
/** A specifier of Node's, in whichever quotes the minifier chose. */
const NODE_SPECIFIER = /["'`]node:[a-z]/;
/** ONNX Runtime's own files ask for Node behind a test of `navigator`. */
const FILES_OF_ONNX_RUNTIME = /^ort[.-]/;

/** The rules of docs/ARCHITECTURE.md, packages. */
export const BUNDLE_RULES: readonly BundleRule[] = [
  {
    name: "web-client",
    entry: "packages/web-client/src/index.ts",
    runtime: "page",
    forbiddenModules: [NODE_MODULE, PECULIAR],
    forbiddenText: [NODE_SPECIFIER],
  },
  {
    name: "monitor",
    entry: "packages/monitor/src/define.ts",
    runtime: "page",
    forbiddenModules: [NODE_MODULE, ONNX_RUNTIME, TRAINING],
    forbiddenText: [ONNX_RUNTIME, NODE_SPECIFIER],
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
    forbiddenText: [/weighted-?mean/i, NODE_SPECIFIER],
  },
  {
    // @hpke/core names Node's "crypto" for hosts without WebCrypto; in a page that is an empty chunk that nothing asks for.
    name: "core/sealing",
    entry: "packages/core/src/sealing/index.ts",
    runtime: "page",
    forbiddenModules: [/^node:/, AGGREGATION, TRAINING, PECULIAR],
    forbiddenText: [NODE_SPECIFIER],
    maxGzipBytes: 30_000,
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
    .flatMap((forbidden) => forbidden.exec(code) ?? [])
    .map((text) => `${rule.name} holds the text ${text}`);
  const heavy =
    rule.maxGzipBytes !== undefined && gzipBytes > rule.maxGzipBytes
      ? [`${rule.name} has ${gzipBytes} bytes gzipped, at most ${rule.maxGzipBytes} are allowed`]
      : [];
  return { name: rule.name, gzipBytes, faults: [...foreign, ...words, ...heavy] };
}

/** The scripts of the page that joins and of its workers, ONNX Runtime's own left out: what a phone loads before it trains. */
const MAX_PAGE_GZIP_BYTES = 175_000;
/** A message of the second WebCrypto: names of modules do not outlive a bundler, messages do. */
const PECULIAR_TEXT = /Incorrect size of the signature/;

const gzipBytesOf = (code: string): number => gzipSync(code, { level: 9 }).byteLength;

/**
 * What is wrong with the scripts of the built pages, ONNX Runtime's own left out: one that asks for a module of Node's or
 * holds the second WebCrypto, and those that `isLoadedToJoin` when they weigh too much.
 * @param isLoadedToJoin by file name; default: all are
 */
export function pageFaults(
  scripts: ReadonlyMap<string, string>,
  isLoadedToJoin: (name: string) => boolean = () => true,
): readonly string[] {
  const ours = [...scripts].filter(([name]) => !FILES_OF_ONNX_RUNTIME.test(name));
  const foreign = ours.flatMap(([name, code]) => [
    ...(NODE_SPECIFIER.test(code) ? [`the page's ${name} asks for a module of Node's`] : []),
    ...(PECULIAR_TEXT.test(code) ? [`the page's ${name} holds @peculiar/webcrypto`] : []),
  ]);
  const joining = ours.filter(([name]) => isLoadedToJoin(name));
  const gzipBytes = joining.reduce((sum, [, code]) => sum + gzipBytesOf(code), 0);
  if (gzipBytes <= MAX_PAGE_GZIP_BYTES) return foreign;
  return [
    ...foreign,
    `the pages have ${gzipBytes} bytes gzipped, at most ${MAX_PAGE_GZIP_BYTES} are allowed`,
  ];
}

async function reportPages(): Promise<readonly string[]> {
  const { folder } = await buildPages();
  const assets = join(folder, "assets");
  const names = readdirSync(assets).filter((name) => name.endsWith(".js"));
  const scripts = new Map(names.map((name) => [name, readFileSync(join(assets, name), "utf8")]));
  if (scripts.size === 0) throw new Error(`${assets} holds no script`);
  for (const [name, code] of scripts) print(name, gzipBytesOf(code));
  // The document names its script and all that this imports at once; workers are started by it, other chunks on demand.
  const document = readFileSync(join(folder, "join", "index.html"), "utf8");
  return pageFaults(scripts, (name) => document.includes(`/assets/${name}"`) || WORKER.test(name));
}

const WORKER = /^(?:site-)?worker-/;

const print = (name: string, gzipBytes: number): void =>
  console.log(`${name.padEnd(40)} ${(gzipBytes / 1000).toFixed(1).padStart(8)} kB gzip`);

/** Reports every bundle. @throws Error with one line for each fault */
export async function reportBundles(): Promise<void> {
  const faults: string[] = [];
  for (const rule of BUNDLE_RULES) {
    const report = await reportBundle(rule);
    print(report.name, report.gzipBytes);
    faults.push(...report.faults);
  }
  faults.push(...(await reportPages()));
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

if (isProgram(import.meta.url)) runProgram(reportBundles);
