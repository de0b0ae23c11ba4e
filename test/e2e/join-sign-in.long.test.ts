import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, type Page, test } from "@playwright/test";
import { button, leadToData } from "./guest-page.ts";
import { type SignInServer, startSignInServer } from "./sign-in-server.ts";
import { expectAccessible, expectQuiet, photograph, watchPage } from "./watched-page.ts";

// A page that takes part as a site, of a server that wants its person to sign in at the organization's provider.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
let server: SignInServer;
let origin = "";
let join = "";

test.beforeAll(async () => {
  server = await startSignInServer();
  ({ origin, join } = server);
});

test.afterAll(() => server.stop());

const look = async (page: Page, name: string): Promise<void> => {
  await expectAccessible(page);
  await photograph(page, name);
};

async function connect(page: Page): Promise<void> {
  await page.goto(join);
  await leadToData(page);
  await page.getByRole("textbox").fill("mnist");
  const files = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"];
  const picked = await Promise.all(
    files.map(async (name) => ({
      name: name.replace("t10k", "training"),
      mimeType: "application/gzip",
      buffer: await readFile(`${ROOT}demos/mnist/${name}`),
    })),
  );
  await page.getByLabel("Pick files").setInputFiles(picked);
  await expect(page.getByText("examples to learn from")).toBeVisible();
  await button(page, "Connect and see the task").click();
}

/** Signs in at the provider, in the tab that the page opens. @returns that tab */
async function signIn(page: Page, account: string): Promise<Page> {
  const opened = page.context().waitForEvent("page");
  await page.getByRole("link", { name: /Sign in with 127\.0\.0\.1/ }).click();
  const tab = await opened;
  if (account === "") return tab;
  await tab.getByLabel("Account").fill(account);
  await tab.getByRole("button", { name: "Sign in" }).click();
  return tab;
}

test("a page signs in at the organization's provider, in a tab of its own, and is let in; not with another account", async ({
  page,
}) => {
  const watch = await watchPage(page, origin);
  await connect(page);
  await expect(page.getByText("This project wants to know who takes part.")).toBeVisible();
  await look(page, "join-sign-in");

  await signIn(page, "mallory");
  await expect(page.getByText("ERR_CREDENTIAL_REFUSED")).toBeVisible();
  await look(page, "join-sign-in-refused");

  await button(page, "Sign in again").click();
  await page.context().clearCookies({ name: /^(?!photinus)/ }); // the provider forgets mallory
  const tab = await signIn(page, "alice");
  await expect(page.getByText("Connected. Waiting for a task for this data.")).toBeVisible();
  if (!tab.isClosed()) {
    await expect(tab.getByRole("heading", { name: "You are signed in" })).toBeVisible();
    expect(tab.url()).toBe(`${origin}/join/signed-in`);
    await look(tab, "join-signed-in");
  }
  expect(await page.evaluate(() => document.cookie)).toBe("");
  // The page itself went to no other origin: its person did, in the other tab. This server has no demo data.
  expectQuiet({ ...watch, complaints: watch.complaints.filter((text) => !text.includes("404 (Not Found)")) });
});

test("a server that cannot say where to sign in is asked again, and the session waits for it", async ({
  page,
}) => {
  let asked = 0;
  await page.route("**/auth/join", async (route) => {
    asked++;
    await (asked === 1 ? route.fulfill({ status: 503 }) : route.continue());
  });
  await connect(page);

  await expect(page.getByText(/HTTP 503/)).toBeVisible();
  await expect(page.getByRole("link", { name: /Sign in with 127\.0\.0\.1/ })).toBeVisible();

  expect(asked).toBe(2);
  await expect(page.getByText(/HTTP 503/)).toHaveCount(0);
});

test("a tab that comes back without a sign-in that was begun here says so", async ({ page }) => {
  await page.goto(`${origin}/join/signed-in?code=stolen&state=forged`);

  await expect(page.getByRole("heading", { name: "You are not signed in" })).toBeVisible();
  await expect(page.getByText("ERR_SIGN_IN_EXPIRED")).toBeVisible();
  expect(page.url()).toBe(`${origin}/join/signed-in`);
  await look(page, "join-not-signed-in");
});
