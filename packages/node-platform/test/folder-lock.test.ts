import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFolder } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-lock-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a folder is one process's, by whatever path, until it is given up", async () => {
  const folder = await aFolder();
  const lock = await lockFolder(join(folder, "state"));

  await expect(lockFolder(join(folder, ".", "state"))).rejects.toMatchObject({
    code: "ERR_STORAGE_UNAVAILABLE",
    message: expect.stringContaining("another process uses"),
  });
  await (await lockFolder(folder)).release();
  await lock.release();
  await lock.release();
  await (await lockFolder(join(folder, "state"))).release();
});

test("a process that is killed leaves no lock", async () => {
  const folder = await aFolder();
  const program = `import("@photinus/node-platform").then(({ lockFolder }) => lockFolder(process.argv[1])).then(() => { console.log("locked"); setInterval(() => {}, 1000); });`;
  const flags = ["--conditions=@photinus/source", "--import", "tsx", "-e", program, folder];
  const child = spawn(process.execPath, flags, {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: import.meta.dirname,
  });
  await once(child.stdout, "data");

  await expect(lockFolder(folder)).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
  const gone = once(child, "close");
  child.kill("SIGKILL");
  await gone;

  await (await lockFolder(folder)).release();
});
