import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPages } from "./build-pages.ts";
import { isProgram, ROOT, runOrThrow, runProgram } from "./process.ts";
import { publishedPackages, type Workspace } from "./workspaces.ts";

/** Packages that a browser loads: Node imports them not, a bundler does. */
const FOR_PAGES = ["monitor", "web-client"];

/** One package as npm would publish it. */
export interface PackedPackage extends Workspace {
  /** Absolute path of the tarball. */
  readonly tarball: string;
}

/** Packs every published package (from `dist`, which must be built) into `folder`. */
async function packPackages(folder: string): Promise<readonly PackedPackage[]> {
  await buildPages();
  const packages = publishedPackages();
  const workspaces = packages.map(({ name }) => `--workspace=${name}`);
  await runOrThrow("npm", ["pack", ...workspaces, `--pack-destination=${folder}`]);
  return packages.map((workspace) => ({
    ...workspace,
    tarball: join(folder, `photinus-${workspace.shortName}-${workspace.manifest.version}.tgz`),
  }));
}

/** publint and attw on what would be published. @throws Error with their findings */
async function lintPackages(packed: readonly PackedPackage[]): Promise<void> {
  for (const { name, tarball } of packed) {
    await runOrThrow("npx", ["--no-install", "publint", "run", tarball, "--strict"]);
    await runOrThrow("npx", ["--no-install", "attw", tarball, "--profile=esm-only", "--no-emoji"]);
    console.log(`${name}: publint and attw found nothing`);
  }
}

/** Every specifier that the packages export. */
function specifiersOf({ name, manifest }: Workspace): readonly string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((subpath) => subpath !== "./package.json")
    .map((subpath) => name + subpath.slice(1));
}

/** The contract suites need vitest, which only those who test against Photinus install. */
const NEEDS_VITEST = "@photinus/core/testing/contracts";

function writeConsumer(folder: string, packed: readonly PackedPackage[]): void {
  const specifiers = packed.flatMap(specifiersOf);
  const isForPages = (specifier: string): boolean =>
    FOR_PAGES.some((name) => specifier.startsWith(`@photinus/${name}`));
  const inNode = specifiers.filter((specifier) => !isForPages(specifier) && specifier !== NEEDS_VITEST);
  const inPages = specifiers.filter(isForPages);
  const imports = (list: readonly string[]): string =>
    list.map((specifier, index) => `import * as m${index} from "${specifier}";`).join("\n");
  const uses = (list: readonly string[]): string =>
    `console.log([${list.map((_, index) => `m${index}`).join(", ")}].length);`;
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "consumer", private: true, type: "module" }),
  );
  writeFileSync(join(folder, "node.mjs"), `${imports(inNode)}\n${uses(inNode)}\n`);
  mkdirSync(join(folder, "page"));
  writeFileSync(join(folder, "page/main.js"), `${imports(inPages)}\n${uses(inPages)}\n`);
  writeFileSync(join(folder, "page/index.html"), '<script type="module" src="./main.js"></script>\n');
  const types = specifiers.filter((specifier) => specifier !== NEEDS_VITEST);
  writeFileSync(
    join(folder, "types.ts"),
    `${imports(types)}\nexport const all: unknown[] = [${types.map((_, index) => `m${index}`)}];\n`,
  );
}

/** Installs the tarballs into an empty folder and uses them there as a stranger would. */
async function installPackages(folder: string, packed: readonly PackedPackage[]): Promise<void> {
  const consumer = join(folder, "consumer");
  mkdirSync(consumer);
  writeConsumer(consumer, packed);
  const tarballs = packed.map(({ tarball }) => tarball);
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  await runOrThrow("npm", ["install", ...quiet, ...tarballs], { cwd: consumer });
  await runOrThrow("node", ["node.mjs"], { cwd: consumer });
  console.log("every export for Node loads from dist");
  const { build } = await import("vite");
  await build({ root: join(consumer, "page"), configFile: false, logLevel: "error" });
  console.log("every export for pages bundles from dist");
  const compiler = join(ROOT, "node_modules/.bin/tsc");
  const types = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--types", "node"];
  const typeRoots = ["--typeRoots", join(ROOT, "node_modules/@types")];
  await runOrThrow(compiler, [...types, ...typeRoots, "--module", "nodenext", "types.ts"], { cwd: consumer });
  console.log("every export has types that compile");
  await startTheCommand(consumer, packed);
  await trainInWorkers(consumer);
}

/** The trainer's worker thread and child process start from dist in the consumer, and from sources here. */
async function trainInWorkers(consumer: string): Promise<void> {
  const script = join(ROOT, "test/packed/train.mjs");
  const data = join(ROOT, "demos/mnist");
  copyFileSync(script, join(consumer, "train.mjs"));
  console.log((await runOrThrow("node", ["train.mjs", data], { cwd: consumer })).trim());
  const source = ["--conditions=@photinus/source", "--import", "tsx"];
  console.log((await runOrThrow("node", [...source, script, data])).trim());
}

async function startTheCommand(consumer: string, packed: readonly PackedPackage[]): Promise<void> {
  const version = packed.find(({ shortName }) => shortName === "cli")?.manifest.version ?? "";
  const said = await runOrThrow("npx", ["--no-install", "photinus", "--version"], { cwd: consumer });
  if (!said.includes(version)) throw new Error(`photinus --version said "${said.trim()}", not ${version}`);
  console.log(`the installed command says ${version}`);
}

/** Packs, lints, installs and uses all packages; leaves nothing behind. @throws Error with the first fault */
export async function checkPackedPackages(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "photinus-packed-"));
  try {
    const packed = await packPackages(folder);
    await lintPackages(packed);
    await installPackages(folder, packed);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isProgram(import.meta.url)) runProgram(checkPackedPackages);
