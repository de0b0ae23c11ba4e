import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

/** Tests run the sources: no build is needed. Giving `conditions` replaces vite's own, hence the spreads. */
const SOURCE = "@photinus/source";
const resolve = { conditions: [SOURCE, ...defaultClientConditions] };
const ssr = { resolve: { conditions: [SOURCE, ...defaultServerConditions] } };

/** `*.long.test.ts` files take over 20 s each; `npm run test:long` (LONG=1) runs them and nothing else. */
const long = process.env["LONG"] === "1";
const suffix = long ? ".long.test.ts" : ".test.ts";
const exclude = ["**/node_modules/**", "**/dist/**", "test/e2e/**", ...(long ? [] : ["**/*.long.test.ts"])];
const onlyNode = ["**/*.node.test.ts", "**/*.node.long.test.ts"];
const onlyBrowser = ["**/*.browser.test.ts", "**/*.browser.long.test.ts"];
const onlyWebGpu = ["**/*.webgpu.test.ts", "**/*.webgpu.long.test.ts"];

/** Packages that vite prepares before the first page loads: one found later would reload the page mid-test. */
const prepared = [
  "@hpke/core",
  "@msgpack/msgpack",
  "asn1js",
  "axe-core",
  "fast-check",
  "idb",
  "lit",
  "lit/directives/repeat.js",
  "onnxruntime-common",
  "pkijs",
  "valibot",
];

const chromiumArguments = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function inChromium(
  name: string,
  include: string[],
  leaveOut: string[],
  args: string[],
): TestProjectConfiguration {
  return {
    resolve,
    ssr,
    cacheDir: `node_modules/.vite/${name}`,
    optimizeDeps: { include: prepared, exclude: ["onnxruntime-web"] },
    test: {
      name,
      include,
      exclude: [...exclude, ...leaveOut],
      globalSetup: ["packages/web-client/test/socket-relay.ts"],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      isolate: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
            args: [...chromiumArguments, ...args],
          },
        }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

/**
 * No package holds state in its modules, so the files share two processes: loading the modules anew for each file
 * took a third of the time. Long tests load a process each: what they measure is theirs alone.
 */
function inNode(name: string, include: string[], leaveOut: string[]): TestProjectConfiguration {
  return {
    resolve,
    ssr,
    test: {
      name,
      environment: "node",
      include,
      exclude: [...exclude, ...onlyBrowser, ...onlyWebGpu, ...leaveOut],
      isolate: long,
      maxWorkers: 2,
      testTimeout: long ? 600_000 : 20_000,
      hookTimeout: 30_000,
    },
  };
}

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      inNode("library", [`packages/{core,training}/test/**/*${suffix}`], []),
      inNode(
        "node",
        [`packages/*/test/**/*${suffix}`, `test/**/*${suffix}`],
        ["packages/{core,training}/**"],
      ),
      inChromium(
        "browser",
        [
          `packages/{core,training}/test/**/*${suffix}`,
          `packages/{web-client,monitor}/test/**/*.browser${suffix}`,
        ],
        [...onlyNode, ...onlyWebGpu],
        ["--disable-gpu"],
      ),
      inChromium("webgpu", [`packages/*/test/**/*.webgpu${suffix}`], [], ["--enable-unsafe-webgpu"]),
    ],
  },
});
