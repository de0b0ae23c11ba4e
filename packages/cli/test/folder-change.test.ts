import { cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { changeFolder, createFolder, finishChange, STAGED } from "../src/project/folder-change.ts";
import { contents, folder } from "./run-photinus.ts";

describe("a folder that changes as a whole", () => {
  const change = {
    write: (staging: string) => writeFile(join(staging, "new"), "new"),
    moves: [{ from: join(STAGED, "new"), to: "now", replace: true }],
  };
  async function aFolder(): Promise<string> {
    const path = join(await folder(), "project");
    await createFolder(path, (staging) => writeFile(join(staging, "now"), "old"));
    return path;
  }
  const unchanged = (content: string) => ({ path: "now", content: new TextEncoder().encode(content) });

  test("is made complete or not at all, and never over another", async () => {
    const base = await folder();
    const failing = createFolder(join(base, "one"), async (staging) => {
      await writeFile(join(staging, "half"), "");
      throw new Error("the disk is full");
    });

    await expect(failing).rejects.toThrow("the disk is full");
    expect(await readdir(base)).toEqual([]);
    await mkdir(join(base, "two"));
    await writeFile(join(base, "two", "mine"), "");
    await expect(createFolder(join(base, "two"), async () => undefined)).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
    });
  });

  test("is as before when writing fails, or when somebody else changed it meanwhile", async () => {
    const path = await aFolder();
    const failing = { ...change, write: async () => Promise.reject(new Error("the disk is full")) };

    await expect(changeFolder(path, { ...failing, unchanged: unchanged("old") })).rejects.toThrow();
    await expect(changeFolder(path, { ...change, unchanged: unchanged("other") })).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
    });

    expect(await contents(path)).toEqual(new Map([[join(path, "now"), Buffer.from("old").toString("hex")]]));
  });

  test("is complete after a kill at any point past the decision, and forgets what was not decided", async () => {
    const path = await aFolder();
    const moves = [
      { from: "now", to: "before" },
      { from: join(STAGED, "now"), to: "now" },
      { from: join(STAGED, "list"), to: "list", replace: true },
    ];
    for (const done of [0, 1, 2, 3, "cleared"] as const) {
      const at = join(await folder(), "copy");
      await cp(path, at, { recursive: true });
      await mkdir(join(at, STAGED));
      await writeFile(join(at, STAGED, "now"), "new");
      await writeFile(join(at, STAGED, "list"), "2");
      await writeFile(join(at, STAGED, "moves.json"), JSON.stringify(moves));
      await mkdir(join(at, `${STAGED}-0123456789abcdef`));
      for (const { from, to } of moves.slice(0, done === "cleared" ? 3 : done))
        await rename(join(at, from), join(at, to));
      // The list of moves went first as what was left over was being removed.
      if (done === "cleared") await rm(join(at, STAGED, "moves.json"));

      await finishChange(at);

      const files = [...(await contents(at))].map(([name, hex]) => [
        name.slice(at.length + 1),
        Buffer.from(hex, "hex").toString(),
      ]);
      expect(files.toSorted()).toEqual([
        ["before", "old"],
        ["list", "2"],
        ["now", "new"],
      ]);
    }
  });
});
