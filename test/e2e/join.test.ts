import { fileURLToPath } from "node:url";
import { expect, test } from "@playwright/test";
import { agree, button, expectCounted, figure, leadToConnection, leadToData } from "./guest-page.ts";
import { type RunningDemo, startDemo } from "./running-demo.ts";
import { expectAccessible, expectQuiet, photograph, watchPage } from "./watched-page.ts";

let demo: RunningDemo;

const inMnist = (name: string): string =>
  fileURLToPath(new URL(`../../demos/mnist/${name}`, import.meta.url));

test.describe.configure({ mode: "serial" });

test.beforeAll(async () => {
  demo = await startDemo({ rounds: 1000, sites: 2, model: "mlp" });
});

test.afterAll(async () => {
  expect(await demo.stop()).toBe(130);
});

test("a page joins by the link and its updates count beside Node sites", async ({ page }) => {
  const { origin } = new URL(demo.join);
  const watch = await watchPage(page, origin);
  await page.goto(demo.join);

  await leadToConnection(page);
  await agree(page);
  await expectCounted(page);

  await expect(figure(page, "Training loss")).toContainText("by WebAssembly");
  expect(page.url()).not.toContain("#");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expectQuiet(watch);
});

test("files that somebody picks are read on the device, and refused with a reason when they are something else", async ({
  page,
}) => {
  await page.goto(demo.join);
  await leadToData(page);
  const input = page.locator("photinus-join input[type=file]");

  await input.setInputFiles(["README.md", "t10k-labels-idx1-ubyte.gz"].map(inMnist));
  await expect(page.getByRole("alert")).toContainText("ERR_DATA_MALFORMED");
  await input.setInputFiles(
    ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"].map((name) =>
      inMnist(`${name}-ubyte.gz`),
    ),
  );

  await expect(page.getByText("10,000 examples to learn from, 2,000 held out")).toBeVisible();
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(button(page, "Connect and see the task")).toBeEnabled();
});

test("a second tab is told that the first one takes part", async ({ page, context }) => {
  await page.goto(demo.join);
  await expect(button(page, "Check this device")).toBeEnabled();

  const second = await context.newPage();
  await second.goto(demo.join);

  await expect(second.getByRole("heading", { name: "Already open in another tab" })).toBeVisible();
  await expectAccessible(second);
});

test("a link that was altered is refused with code and remedy before anything is sent", async ({ page }) => {
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));

  await page.goto(demo.join.slice(0, -3));

  await expect(page.getByRole("alert")).toContainText("Ask the organizer for a new join link");
  await expect(button(page, "Check this device")).toBeDisabled();
  await photograph(page, "join-refused");
  expect(sockets).toEqual([]);
});

test("the dashboard asks for a token, refuses a wrong one and forgets it", async ({ page }) => {
  const origin = new URL(demo.dashboard).origin;
  await page.goto(origin);
  await expectAccessible(page);
  await photograph(page, "dashboard-closed");

  await page.getByLabel("Read-only token").fill("wrong");
  await button(page, "Open").click();

  await expect(page.getByRole("alert")).toContainText(
    "Open the dashboard by the link that the server printed",
  );
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});
