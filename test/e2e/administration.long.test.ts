import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, type Page, test } from "@playwright/test";
import { expectAccessible, photograph } from "./watched-page.ts";

// An administrator on the dashboard: real server, real Chromium, the real command line for who asks.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SOURCE = ["--conditions=@photinus/source", "--import", "tsx"];
const PAGES = join(ROOT, "packages/web-client/dist/app");

interface Served {
  readonly origin: string;
  readonly socketUrl: string;
  readonly fingerprint: string;
  readonly secret: string;
}

let folder = "";
let child: ChildProcess | undefined;
let served: Served = { origin: "", socketUrl: "", fingerprint: "", secret: "" };

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "photinus-e2e-"));
  child = spawn(
    process.execPath,
    [...SOURCE, join(ROOT, "test/e2e/serve-administration.ts"), folder, PAGES],
    {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  let text = "";
  for (;;) {
    const [chunk] = await once(child.stdout ?? child, "data");
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  served = JSON.parse(text);
});

test.afterAll(async () => {
  child?.stdin?.end();
  if (child !== undefined) await once(child, "exit");
  await rm(folder, { recursive: true, force: true });
});

async function signIn(page: Page, passphrase = served.secret): Promise<void> {
  await openSignIn(page);
  await page.getByLabel("Zip file").setInputFiles(join(folder, "admin.zip"));
  await enter(page, passphrase);
}

async function openSignIn(page: Page): Promise<void> {
  await page.goto(served.origin);
  await page.getByText("Sign in as an administrator").click();
}

async function enter(page: Page, passphrase: string): Promise<void> {
  await page.getByLabel("Passphrase of the kit").fill(passphrase);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** `photinus cert request`, as somebody without an invite runs it. */
async function request(name: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const running = spawn(
    process.execPath,
    [
      ...[...SOURCE, join(ROOT, "packages/cli/src/cli.ts"), "cert", "request", "--json"],
      ...["--out", join(folder, name), "--name", name, "--org", "clinic", "--server", served.socketUrl],
      ...["--project", "trial", "--server-name", "hub", "--root-fingerprint", served.fingerprint],
    ],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  running.stdout.on("data", (chunk: Buffer) => {
    output += String(chunk);
  });
  running.stderr.on("data", (chunk: Buffer) => {
    output += String(chunk);
  });
  const [code] = await once(running, "exit");
  return { code, output };
}

/** A live session of a site that joined, in a process of its own. */
async function live(name: string): Promise<{ readonly ended: Promise<string> }> {
  const running = spawn(
    process.execPath,
    [...SOURCE, join(ROOT, "test/e2e/live-session.ts"), join(folder, name), served.socketUrl],
    { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("connected");
  return { ended: lines.next().then(({ value }) => String(value)) };
}

test("an administrator signs in by a kit, approves a request by its fingerprint, suspends and invites", async ({
  page,
}) => {
  const waiting = await request("lab-7");
  expect(waiting.output).toContain("ERR_REQUEST_PENDING");
  const fingerprint = /Fingerprint: (.+)/.exec(waiting.output)?.[1] ?? "none";

  await signIn(page);
  await expect(page.getByText(fingerprint)).toBeVisible();
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/administration/approvals-1280.png", fullPage: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/administration/approvals-390-dark.png", fullPage: true });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.getByLabel("Reason").fill("compared by phone");
  await page.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(page.getByRole("status")).toContainText("approved");
  expect((await request("lab-7")).code).toBe(0);

  await page.getByRole("tab", { name: "Approvals" }).focus();
  await page.keyboard.press("ArrowRight");
  const lab = page.getByRole("article").filter({ hasText: "lab-7" });
  await expect(lab).toBeVisible();
  const first = await live("lab-7");
  await expect(lab.getByText("connected", { exact: true })).toBeVisible();
  await lab.getByLabel("Reason").fill("lost laptop");
  await lab.getByRole("button", { name: "Suspend for 7 days" }).click();
  await expect(lab.getByText("suspended", { exact: true })).toBeVisible();
  expect(await first.ended).toBe("ERR_SUSPENDED");
  await expectAccessible(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: "test-results/administration/certificates-1280.png", fullPage: true });
  await lab.getByLabel("Reason").fill("found again");
  await lab.getByRole("button", { name: "Resume" }).click();
  await expect(lab.getByText("suspended", { exact: true })).toHaveCount(0);
  const second = await live("lab-7");
  await lab.getByLabel("Reason").fill("sold");
  await lab.getByRole("button", { name: "Revoke for good" }).click();
  await expect(lab.getByText("revoked", { exact: true })).toBeVisible();
  expect(await second.ended).toBe("ERR_REVOKED");

  await page.getByRole("tab", { name: "Invites" }).click();
  await page.getByRole("button", { name: "Make link" }).click();
  await expect(page.getByText(/\/join#/)).toBeVisible();
  await expectAccessible(page);
  await page.screenshot({ path: "test-results/administration/invites-1280.png", fullPage: true });
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByText("Open a federation")).toBeVisible();
});

/** Drops files and folders of this machine where a person would. */
async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const box = await page.locator("photinus-kit-sign-in .drop").boundingBox();
  if (box === null) throw new Error("there is nowhere to drop");
  const devtools = await page.context().newCDPSession(page);
  const [x, y] = [box.x + box.width / 2, box.y + 12];
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await devtools.send("Input.dispatchDragEvent", { type, x, y, data });
  }
}

test("the folder of a kit is dropped or picked, with what is local in it; another folder inside is refused", async ({
  page,
}) => {
  const kit = join(folder, "admin");
  await mkdir(join(kit, "local"), { recursive: true });
  await writeFile(join(kit, "local", "note"), "mine");
  await openSignIn(page);
  await drop(page, [kit]);
  await expect(page.getByText(/files of a kit/)).toBeVisible();
  await enter(page, served.secret);
  await expect(page.getByRole("tab", { name: "Approvals" })).toBeVisible();
  expect(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie])).toEqual([
    0,
    0,
    "",
  ]);
  expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
  await page.getByRole("button", { name: "Sign out" }).click();

  await openSignIn(page);
  await page.getByLabel("Folder").setInputFiles(kit);
  await enter(page, served.secret);
  await expect(page.getByRole("tab", { name: "Approvals" })).toBeVisible();

  await mkdir(join(folder, "odd", "inside"), { recursive: true });
  await openSignIn(page);
  await drop(page, [join(folder, "odd")]);
  await expect(page.getByText("ERR_KIT_UNREADABLE")).toBeVisible();
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeDisabled();
});

test("a zip file with a link in it is refused, whoever has packed it", async ({ page }) => {
  const [forged, zip] = [join(folder, "forged"), join(folder, "forged.zip")];
  await mkdir(forged);
  await symlink("/etc/passwd", join(forged, "key.pem"));
  await promisify(execFile)("zip", ["-qry", zip, "forged"], { cwd: folder });
  await openSignIn(page);
  await drop(page, [zip]);
  await expect(page.getByText("forged.zip")).toBeVisible();
  await enter(page, served.secret);

  await expect(page.getByText(/is a link or a device/)).toBeVisible();
  await expectAccessible(page);
  await photograph(page, "kit-refused");
});

test("a wrong passphrase is refused with code and remedy, and stays in no field", async ({ page }) => {
  await signIn(page, "wrong");

  await expect(page.getByText("ERR_KEY_UNREADABLE")).toBeVisible();
  await expect(page.getByLabel("Passphrase of the kit")).toHaveValue("");
});
