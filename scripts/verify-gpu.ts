// Builds dist/verify-gpu, a folder that runs on a bare GPU host, and runs it here.
// `--build-only` leaves out the run. On the other host: sh verify-gpu/run.sh > report.json
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import { build, defaultServerConditions } from "vite";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "dist/verify-gpu");
const BINARIES = "node_modules/onnxruntime-node/bin/napi-v6/linux/x64";
const MAX_BYTES = 60 * 2 ** 20;
/** Where the Vulkan loader may be; without one on the host, WebGPU finds no adapter. */
const VULKAN_LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/chromium/libvulkan.so.1"];

async function bundle(): Promise<void> {
  const conditions = ["@photinus/source", ...defaultServerConditions];
  await build({
    configFile: false,
    logLevel: "warn",
    root: ROOT,
    resolve: { conditions },
    ssr: { noExternal: true, external: ["onnxruntime-node"], resolve: { conditions } },
    build: {
      ssr: join(ROOT, "scripts/verify-gpu/verify.ts"),
      outDir: FOLDER,
      emptyOutDir: false,
      target: "node20",
      rolldownOptions: { output: { entryFileNames: "verify.mjs" } },
    },
  });
}

function copy(path: string): void {
  mkdirSync(dirname(join(FOLDER, path)), { recursive: true });
  cpSync(join(ROOT, path), join(FOLDER, path), { recursive: true });
}

async function pack(from: string, to: string): Promise<void> {
  mkdirSync(dirname(join(FOLDER, to)), { recursive: true });
  await pipeline(
    createReadStream(from),
    createGzip({ level: 9 }),
    createWriteStream(join(FOLDER, `${to}.gz`)),
  );
}

async function collect(): Promise<void> {
  for (const part of ["package.json", "dist"]) {
    copy(`node_modules/onnxruntime-node/${part}`);
    copy(`node_modules/onnxruntime-common/${part}`);
  }
  copy(`${BINARIES}/onnxruntime_binding.node`);
  await pack(join(ROOT, BINARIES, "libonnxruntime.so.1"), `${BINARIES}/libonnxruntime.so.1`);
  await pack(process.execPath, "node");
  const loader = VULKAN_LOADERS.find((path) => existsSync(path));
  if (loader !== undefined) await pack(loader, "lib/libvulkan.so.1");
  copyFileSync(join(ROOT, "scripts/verify-gpu/run.sh"), join(FOLDER, "run.sh"));
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: "utf8" })) {
    if (name.endsWith(".map")) rmSync(join(FOLDER, name)); // nobody debugs there
  }
}

function bytesOf(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.reduce((total, name) => {
    const entry = statSync(join(folder, name));
    return total + (entry.isFile() ? entry.size : 0);
  }, 0);
}

if (process.platform !== "linux" || process.arch !== "x64") {
  console.error("verify:gpu builds for Linux on x64 and takes the programs of the machine it runs on");
  process.exit(1);
}
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
await bundle();
await collect();
const size = bytesOf(FOLDER);
console.error(`${FOLDER}: ${(size / 2 ** 20).toFixed(1)} MiB`);
if (size > MAX_BYTES) {
  console.error(`the folder must not be larger than ${MAX_BYTES / 2 ** 20} MiB`);
  process.exit(1);
}
if (!process.argv.includes("--build-only")) {
  const { status } = spawnSync("sh", [join(FOLDER, "run.sh")], { stdio: "inherit" });
  process.exitCode = status ?? 1;
}
