import { defineConfig } from "@playwright/test";

/** As in vitest.config.ts: `npm run test:long` (LONG=1) runs the long ones and nothing else. */
const long = process.env["LONG"] === "1";

/** The end-to-end tests: real server, real sites, real Chromium. `npm test` sets CHROMIUM_PATH. */
export default defineConfig({
  testDir: "test/e2e",
  testMatch: long ? "**/*.long.test.ts" : "**/*.test.ts",
  testIgnore: long ? [] : ["**/*.long.test.ts"],
  outputDir: "test-results",
  timeout: 180_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  forbidOnly: process.env["CI"] !== undefined,
  reporter: "list",
  use: {
    headless: true,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
