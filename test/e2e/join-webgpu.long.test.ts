import { expect, test } from "@playwright/test";
import { agree, expectCounted, figure, leadToConnection } from "./guest-page.ts";
import { type RunningDemo, startDemo } from "./running-demo.ts";
import { expectQuiet, watchPage } from "./watched-page.ts";

// The software adapter of Chromium; a page takes it only when its address asks for WebGPU.
test.use({
  launchOptions: {
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync", "--enable-unsafe-webgpu"],
  },
});

let demo: RunningDemo;

test.beforeAll(async () => {
  demo = await startDemo({ rounds: 1000, sites: 2, model: "mlp" });
});

test.afterAll(async () => {
  expect(await demo.stop()).toBe(130);
});

test("a page trains by WebGPU and its updates count beside Node sites", async ({ page }) => {
  const watch = await watchPage(page, new URL(demo.join).origin);
  await page.goto(demo.join.replace("/join#", "/join?device=webgpu#"));

  await leadToConnection(page);
  await agree(page);
  await expectCounted(page);

  await expect(figure(page, "Training loss")).toContainText("by WebGPU");
  expectQuiet(watch);
});
