import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "@photinus/core/bytes";
import { expect, onTestFinished, test } from "vitest";
import { parameterFolder } from "../../src/host/parameter-folder.ts";

const JOB = "ab".repeat(16);

async function aFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("what a site keeps of a job is there for the next process, for its owner only, until it is deleted", async () => {
  const path = join(await aFolder(), "parameters");
  await parameterFolder(path).write(JOB, "personal", utf8("1234"));
  await parameterFolder(path).write(JOB, "control", utf8("5678"));

  const next = parameterFolder(path);

  expect(await next.read(JOB, "personal")).toEqual(utf8("1234"));
  expect((await stat(join(path, `${JOB}.personal.f32`))).mode & 0o777).toBe(0o600);
  await next.delete(JOB, "control");
  await next.delete(JOB, "control");
  expect(await next.read(JOB, "control")).toBeUndefined();
  expect(await readdir(path)).toEqual([`${JOB}.personal.f32`]);
});

test("what cannot be read or written is an error, not a model that begins anew", async () => {
  const path = await aFolder();
  const inside = parameterFolder(join(path, "a"));
  await inside.write(JOB, "personal", utf8("1234"));
  const blocked = parameterFolder(join(path, "a", `${JOB}.personal.f32`));

  await expect(blocked.read(JOB, "personal")).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
  await expect(blocked.write(JOB, "personal", utf8("1"))).rejects.toMatchObject({
    code: "ERR_STORAGE_UNAVAILABLE",
  });
});
