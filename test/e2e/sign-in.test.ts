import { expect, type Page, test } from "@playwright/test";
import { type SignInServer, startSignInServer } from "./sign-in-server.ts";
import { expectAccessible, expectQuiet, photograph, watchPage } from "./watched-page.ts";

let server: SignInServer;
let origin = "";

test.beforeAll(async () => {
  server = await startSignInServer();
  ({ origin } = server);
});

test.afterAll(() => server.stop());

const look = async (page: Page, name: string): Promise<void> => {
  await expectAccessible(page);
  await photograph(page, name);
};

async function signIn(page: Page, account: string): Promise<void> {
  await page.getByRole("link", { name: /Sign in with 127\.0\.0\.1/ }).click();
  await page.getByLabel("Account").fill(account);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("a person signs in at the organization's provider, sees the federation, reloads, and signs out", async ({
  page,
}) => {
  const watch = await watchPage(page, origin);
  await page.goto(origin);
  await expect(page.getByRole("link", { name: /Sign in with/ })).toBeVisible();
  await look(page, "dashboard-sign-in");

  await signIn(page, "alice");
  await expect(page.getByText("alice@example.org")).toBeVisible();
  await expect(page.getByText("project admin, demo")).toBeVisible();
  expect(page.url()).toBe(`${origin}/`);
  await expect(page.getByText("No job to show yet.")).toHaveCount(1);
  await look(page, "dashboard-signed-in");
  // A cookie that no script can read, and nothing else: neither token nor identity.
  expect(await page.evaluate(() => [document.cookie, sessionStorage.length, localStorage.length])).toEqual([
    "",
    0,
    0,
  ]);

  await page.reload();
  await expect(page.getByText("alice@example.org")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: /Sign in with/ })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("link", { name: /Sign in with/ })).toBeVisible();
  // The provider's own pages are the only other origin that the browser went to.
  expectQuiet({
    ...watch,
    foreign: watch.foreign.filter((url) => !/\/(auth|interaction)\b/.test(url)),
  });
});

test("somebody who is not let in reads why, and what to do", async ({ page }) => {
  await page.goto(origin);
  await signIn(page, "mallory");

  await expect(page.getByRole("alert")).toContainText("This account is not let in.");
  await expect(page.getByRole("alert")).toContainText("local/authentication.json");
  expect(page.url()).toBe(`${origin}/`);
  await look(page, "dashboard-refused");
});

test("an address cannot make the page say what it likes", async ({ page }) => {
  await page.goto(`${origin}/#refused=Call%20555-0100`);
  await expect(page.getByRole("link", { name: /Sign in with/ })).toBeVisible();

  await expect(page.getByRole("alert")).toHaveCount(0);
});
