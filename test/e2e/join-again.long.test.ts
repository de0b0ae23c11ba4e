import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, test } from "@playwright/test";
import { agree, button, expectCounted, figure, leadToConnection } from "./guest-page.ts";
import { type RunningDemo, startDemo } from "./running-demo.ts";
import { expectAccessible, photograph } from "./watched-page.ts";

let demo: RunningDemo;

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  demo = await startDemo({ rounds: 1000, sites: 2, model: "mlp" });
});

test.afterAll(async () => {
  expect(await demo.stop()).toBe(130);
});

test("a reload goes on as the same site, and is not asked again for the same task", async ({ page }) => {
  await page.goto(demo.join);
  await leadToConnection(page);
  await agree(page);
  await expectCounted(page);
  const name = await page.getByText(/^guest-\d+$/).textContent();

  await page.reload();
  await expect(page.getByText(`This browser is ${name}`)).toBeVisible();
  await leadToConnection(page);

  await expectCounted(page);
  await expect(page.getByText(name ?? "", { exact: true })).toBeVisible();
});

test("a browser is the same site after it was closed, and keeps nothing of it once it has left", async () => {
  const profile = await mkdtemp(join(tmpdir(), "photinus-profile-"));
  const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  const open = () => chromium.launchPersistentContext(profile, { executablePath, args: ["--no-sandbox"] });
  try {
    const first = await open();
    const page = await first.newPage();
    await page.goto(demo.join);
    await leadToConnection(page);
    await expect(button(page, "Agree and start")).toBeVisible({ timeout: 30_000 });
    await first.close();

    const second = await open();
    const again = await second.newPage();
    await again.goto(new URL("/join", demo.join).href);
    await expect(again.getByText(/This browser is guest-\d+/)).toBeVisible();
    await leadToConnection(again);
    await agree(again);
    await expectCounted(again);
    await button(again, "Leave").click();
    await expect(again.getByRole("heading", { name: "You have left" })).toBeVisible();

    expect(await again.evaluate(whatIsKept)).toEqual({ records: 0, files: 0, caches: 0 });
    await second.close();
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
});

/** Runs in the page: everything that its origin keeps. */
async function whatIsKept(): Promise<{ records: number; files: number; caches: number }> {
  let records = 0;
  for (const { name = "" } of await indexedDB.databases()) {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    for (const store of database.objectStoreNames) {
      records += await new Promise<number>((resolve, reject) => {
        const counting = database.transaction(store).objectStore(store).count();
        counting.onsuccess = () => resolve(counting.result);
        counting.onerror = () => reject(counting.error);
      });
    }
    database.close();
  }
  let files = 0;
  for await (const _ of (await navigator.storage.getDirectory()).keys()) files++;
  return { records, files, caches: (await caches.keys()).length };
}

test("pausing stops, going on goes on, leaving deletes what the page kept", async ({ page }) => {
  await page.goto(demo.join);
  await leadToConnection(page);
  await agree(page);
  await expectCounted(page);

  await button(page, "Pause").click();
  await expect(page.getByText("Paused: you asked for it")).toBeVisible();
  await photograph(page, "join-paused");
  const counted = Number.parseInt((await figure(page, "Counted").textContent()) ?? "", 10);
  await button(page, "Go on").click();
  await expect
    .poll(async () => Number.parseInt((await figure(page, "Counted").textContent()) ?? "", 10), {
      timeout: 60_000,
    })
    .toBeGreaterThan(counted);
  await button(page, "Leave").click();

  await expect(page.getByRole("heading", { name: "You have left" })).toBeVisible();
  await expectAccessible(page);
  await page.goto(new URL("/join", demo.join).href);
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("ERR_INVITE_REFUSED");
});

test("another device joins by a link of the first, under the same name, takes over, and gives back", async ({
  page,
  browser,
}) => {
  await page.goto(demo.join);
  await leadToConnection(page);
  await agree(page);
  const name = (await page.getByText(/^guest-\d+$/).textContent())?.trim() ?? "";
  await button(page, "Add another device").click();
  const link = await page.locator(".link code").textContent();
  await expectAccessible(page);
  await photograph(page, "join-device-link");

  const other = await browser.newContext();
  const device = await other.newPage();
  await device.goto(link ?? "");
  await leadToConnection(device);
  await agree(device);
  await expect(device.getByText(name, { exact: true })).toBeVisible();
  await expect(page.getByText("Paused: another of your devices took over")).toBeVisible();
  await photograph(page, "join-superseded");

  await button(page, "Put away").click();
  await expect(page.locator(".link")).toHaveCount(0);
  await button(page, "Go on").click();
  await expect(device.getByText("Paused: another of your devices took over")).toBeVisible();
  await other.close();
  await expectCounted(page);
});

test("a page whose server goes away says so, counts the seconds and keeps what it has", async ({ page }) => {
  await page.goto(demo.join);
  await leadToConnection(page);
  await agree(page);
  await expectCounted(page);

  await demo.stop();

  await expect(page.getByText(/^Connection lost, trying again in \d+ s$/)).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole("alert")).toContainText(/ERR_(CONNECTION_REFUSED|CONNECTION_LOST|GOING_AWAY)/);
  await expect(figure(page, "Counted")).toContainText(/^[1-9]/);
  await expectAccessible(page);
  await photograph(page, "join-reconnecting");
});
