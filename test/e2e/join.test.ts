import { expect, type Page, test } from "@playwright/test";
import { type RunningDemo, startDemo } from "./running-demo.ts";
import { expectAccessible, expectQuiet, photograph, watchPage } from "./watched-page.ts";

let demo: RunningDemo;

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  demo = await startDemo({ rounds: 600, sites: 2, model: "mlp" });
});

test.afterAll(async () => {
  expect(await demo.stop()).toBe(130);
});

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** Leads a page by the link to the point where it trains. */
async function joinAsGuest(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  await look("join-what");
  await button(page, "Check this device").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("This device trains by", {
    timeout: 60_000,
  });
  await look("join-device");
  await button(page, "Choose data").click();
  await button(page, "Use demo data").click();
  await expect(page.getByText("examples to learn from")).toBeVisible();
  await look("join-data");
  await button(page, "Connect and see the task").click();
  const agree = button(page, "Agree and start");
  await expect(agree).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("checkbox")).not.toBeChecked();
  await expect(agree).toBeDisabled();
  await look("join-agreement");
  await page.getByRole("checkbox").check();
  await agree.click();
}

/** The figure beside its name on the page that trains. */
const figure = (page: Page, name: string) =>
  page
    .locator("photinus-join dl.figures > div", { has: page.getByText(name, { exact: true }) })
    .locator("dd");

test("a page joins by the link and its update is accepted beside Node sites", async ({ page }) => {
  const watch = await watchPage(page, new URL(demo.join).origin);
  await page.goto(demo.join);

  await joinAsGuest(page, async (name) => {
    await expectAccessible(page);
    await photograph(page, name);
  });

  await expect(figure(page, "Counted")).toContainText(/^[1-9]/, { timeout: 90_000 });
  await expect(page.getByRole("region", { name: "What leaves this device" })).toContainText("Digest");
  await expectAccessible(page);
  await photograph(page, "join-training");
  expect(page.url()).not.toContain("#");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expectQuiet(watch);
});

test("the dashboard shows the page among the sites, live", async ({ page }) => {
  const watch = await watchPage(page, new URL(demo.dashboard).origin);
  await page.goto(demo.dashboard);

  const guest = page.locator("photinus-sites li", { hasText: "browser" });
  await expect(guest).toContainText(/[1-9]\d* accepted/, { timeout: 60_000 });
  const round = page.locator("photinus-job-status .figure").first();
  const before = await round.textContent();
  await expect(round).not.toHaveText(before ?? "", { timeout: 60_000 });
  await expectAccessible(page);
  await photograph(page, "dashboard");
  expect(page.url()).not.toContain("token");
  expectQuiet(watch);
});
