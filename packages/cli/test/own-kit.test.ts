import { cp, mkdir, readdir, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readKitFolder } from "@photinus/node-platform";
import { describe, expect, test } from "vitest";
import { changeOwnKit, readOwnKit } from "../src/project/own-kit.ts";
import { contents, folder } from "./run-photinus.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const textsOf = (files: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries(
    [...files].map(([name, content]) => [name, new TextDecoder().decode(content)]).toSorted(),
  );

/** The folder of a participant that made its key: the kit of before, and what is its own. */
async function anOwnFolder(): Promise<string> {
  const path = join(await folder(), "own");
  await mkdir(join(path, "local"), { recursive: true, mode: 0o700 });
  const files = { "key.pem": "key", "manifest.json": "old", "config.json": "old", "tls-ca.pem": "old" };
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  await writeFile(join(path, "local", "secret"), "secret");
  return path;
}

const OLD = { "config.json": "old", "key.pem": "key", "manifest.json": "old", "tls-ca.pem": "old" };
const NEW = { "config.json": "new", "key.pem": "key", "manifest.json": "new", "start.sh": "new" };
const put = new Map(["manifest.json", "config.json", "start.sh"].map((name) => [name, bytes("new")]));
const drop = ["tls-ca.pem"];

describe("the folder of a participant that made its key", () => {
  test("gets another kit as a whole, for its owner only; key and local/ stay", async () => {
    const own = await anOwnFolder();

    await changeOwnKit(own, { put, drop, before: await readOwnKit(own) });

    expect(textsOf(await readKitFolder(own))).toEqual(NEW);
    expect(await readdir(join(own, "local"))).toEqual(["secret"]);
    const modes = await Promise.all(["config.json", "start.sh"].map((name) => stat(join(own, name))));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700]);
  });

  test("is as before when it was interrupted while the new kit was being written", async () => {
    const own = await anOwnFolder();
    const before = await readOwnKit(own);
    await mkdir(join(own, "local", ".change-0123456789abcdef", "kit"), { recursive: true });
    await writeFile(join(own, "local", ".change-0123456789abcdef", "kit", "config.json"), "ne");

    expect(textsOf(await readOwnKit(own))).toEqual(OLD);
    await changeOwnKit(own, { put, drop, before });

    expect(await readdir(join(own, "local"))).toEqual(["secret"]);
  });

  test("is the new kit to whoever reads it after an interruption at any later point", async () => {
    const own = await anOwnFolder();
    const staged = join("local", ".change");
    const moves = [
      { from: "tls-ca.pem", to: join(staged, "before", "tls-ca.pem") },
      ...[...put.keys()].map((name) => ({ from: join(staged, "kit", name), to: name, replace: true })),
    ];
    for (let done = 0; done <= moves.length; done++) {
      const at = join(await folder(), "copy");
      await cp(own, at, { recursive: true });
      for (const sub of ["kit", "before"]) await mkdir(join(at, staged, sub), { recursive: true });
      for (const [name, content] of put) await writeFile(join(at, staged, "kit", name), content);
      await writeFile(join(at, staged, "moves.json"), JSON.stringify(moves));
      for (const { from, to } of moves.slice(0, done)) await rename(join(at, from), join(at, to));

      expect(textsOf(await readOwnKit(at)), `after ${done} moves`).toEqual(NEW);
      expect(await readdir(join(at, "local"))).toEqual(["secret"]);
    }
  });

  test("is as before when a file cannot be written, or when somebody exchanged its key meanwhile", async () => {
    const own = await anOwnFolder();
    const before = await readOwnKit(own);
    const all = await contents(own);
    const hostile = new Map([...put, ["../outside", bytes("new")]]);

    await expect(changeOwnKit(own, { put: hostile, before })).rejects.toThrow(RangeError);
    const other = new Map([...before, ["key.pem", bytes("other")]]);
    await expect(changeOwnKit(own, { put, before: other })).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
    });

    expect(await contents(own)).toEqual(all);
  });

  test.each([
    ["out of the folder", { from: "local/secret", to: "../stolen" }],
    [
      "out of the folder by an absolute path",
      { from: "local/.change/kit/x.pem", to: "/tmp/x.pem", replace: true },
    ],
    ["into it", { from: "../mine", to: "config.json", replace: true }],
    ["within local/", { from: "local/secret", to: "local/other" }],
    ["under another name", { from: "local/.change/kit/config.json", to: "key.pem", replace: true }],
    ["above it", { from: "..", to: "local/.change/before/.." }],
  ])("moves nothing %s, whatever somebody has put into local/", async (_where, move) => {
    const own = await anOwnFolder();
    await writeFile(join(own, "..", "mine"), "mine");
    await mkdir(join(own, "local", ".change", "kit"), { recursive: true });
    await writeFile(join(own, "local", ".change", "moves.json"), JSON.stringify([move]));
    const before = await contents(join(own, ".."));

    await expect(readOwnKit(own)).rejects.toMatchObject({ code: "ERR_KIT_UNREADABLE" });

    expect(await contents(join(own, ".."))).toEqual(before);
  });

  test.each(["kit", "before"])("moves nothing through a link in the place of %s", async (name) => {
    const own = await anOwnFolder();
    const outside = join(own, "..", "outside");
    await mkdir(outside);
    await writeFile(join(outside, "config.json"), "mine");
    await mkdir(join(own, "local", ".change"));
    await symlink(outside, join(own, "local", ".change", name));
    const moves = [
      { from: "tls-ca.pem", to: "local/.change/before/tls-ca.pem" },
      { from: "local/.change/kit/config.json", to: "config.json", replace: true },
    ];
    await writeFile(join(own, "local", ".change", "moves.json"), JSON.stringify(moves));

    await expect(readOwnKit(own)).rejects.toMatchObject({ code: "ERR_KIT_UNREADABLE" });

    expect(await readdir(outside)).toEqual(["config.json"]);
    expect(textsOf(await readKitFolder(own))).toEqual(OLD);
  });

  test("is refused by a code where an interrupted change cannot be ended", async () => {
    const own = await anOwnFolder();
    await mkdir(join(own, "local", ".change"));
    await writeFile(join(own, "local", ".change", "moves.json"), "no list");

    await expect(readOwnKit(own)).rejects.toMatchObject({ code: "ERR_KIT_UNREADABLE" });
  });
});
