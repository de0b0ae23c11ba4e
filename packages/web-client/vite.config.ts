import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, defaultClientConditions, defineConfig, type Plugin } from "vite";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const COMPRESSIBLE = /\.(html|js|mjs|css|json|svg|wasm|onnx)$/;

/** The first start prints what people asked for, not how long plug-ins took; each build inside another has its own. */
const checks = { bundlerTimings: false } as const;

const conditions = ["@photinus/source", ...defaultClientConditions];

/** Writes the elements of monitor as one file of a lasting name, for pages that embed them by one script tag. */
function embeddable(): Plugin {
  let folder = "";
  return {
    name: "embeddable",
    apply: "build",
    configResolved: ({ root, build: { outDir } }) => {
      folder = resolve(root, outDir);
    },
    closeBundle: async () => {
      await build({
        configFile: false,
        root: ROOT,
        logLevel: "warn",
        publicDir: false,
        resolve: { conditions },
        build: {
          outDir: folder,
          emptyOutDir: false,
          target: "es2023",
          modulePreload: { polyfill: false },
          rolldownOptions: {
            input: join(ROOT, "../monitor/src/define.ts"),
            output: { entryFileNames: "monitor.js", codeSplitting: false },
            checks,
          },
        },
      });
    },
  };
}

/**
 * Writes `.br` and `.gz` beside every file that gets smaller: the server sends them as they are. Brotli's best level
 * takes half a minute for the runtimes; its ninth is within four percent of it.
 */
function precompress(): Plugin {
  let folder = "";
  return {
    name: "precompress",
    apply: "build",
    configResolved: ({ root, build: { outDir } }) => {
      folder = resolve(root, outDir);
    },
    closeBundle: {
      order: "post",
      sequential: true, // after every file is there
      handler: () => {
        for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
          if (!COMPRESSIBLE.test(name)) continue;
          const path = join(folder, name);
          const bytes = readFileSync(path);
          if (bytes.length < 1024) continue;
          const params = { [constants.BROTLI_PARAM_QUALITY]: bytes.length > 1_000_000 ? 5 : 9 };
          writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
          writeFileSync(`${path}.gz`, gzipSync(bytes, { level: bytes.length > 1_000_000 ? 6 : 9 }));
        }
      },
    },
  };
}

export default defineConfig({
  root: ROOT,
  base: "/",
  publicDir: false,
  resolve: { conditions },
  worker: { format: "es", rolldownOptions: { checks } },
  plugins: [embeddable(), precompress()],
  build: {
    outDir: "dist/app",
    emptyOutDir: true,
    target: "es2023",
    // Nothing inline: the content security policy of the server forbids it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["index.html", "join/index.html", "join/signed-in/index.html"].map((page) => join(ROOT, page)),
      checks,
    },
  },
});
