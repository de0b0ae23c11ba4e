import { expect, test } from "@playwright/test";
import { agree, expectCounted, figure, leadToConnection } from "./guest-page.ts";
import { type RunningDemo, startDemo } from "./running-demo.ts";
import { expectAccessible, expectQuiet, photograph, watchPage } from "./watched-page.ts";

let demo: RunningDemo;

test.beforeAll(async () => {
  demo = await startDemo({ rounds: 1000, sites: 2, model: "mlp" });
});

test.afterAll(async () => {
  expect(await demo.stop()).toBe(130);
});

test("a page joins by the link, every step looks as it should, and the dashboard shows its updates", async ({
  page,
  context,
}) => {
  const { origin } = new URL(demo.join);
  const watch = await watchPage(page, origin);
  await page.goto(demo.join);
  const look = async (name: string): Promise<void> => {
    await expectAccessible(page);
    await photograph(page, name);
  };

  await leadToConnection(page, look);
  await agree(page, look);
  await expectCounted(page);

  await expect(page.getByRole("region", { name: "What leaves this device" })).toContainText("Digest");
  await expect(figure(page, "Training loss")).toContainText("by WebAssembly");
  await look("join-training");
  expect(page.url()).not.toContain("#");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);

  const dashboard = await context.newPage();
  const dashboardWatch = await watchPage(dashboard, origin);
  await dashboard.goto(demo.dashboard);
  const guest = dashboard.locator("photinus-sites li", { hasText: "browser" });
  await expect(guest).toContainText(/[1-9]\d* accepted/, { timeout: 60_000 });
  const round = dashboard.locator("photinus-job-status .figure").first();
  const before = await round.textContent();
  await expect(round).not.toHaveText(before ?? "", { timeout: 60_000 });
  await expectAccessible(dashboard);
  await photograph(dashboard, "dashboard");
  expect(dashboard.url()).not.toContain("token");
  await expectQuiet(dashboardWatch);
  expectQuiet(watch);
});
