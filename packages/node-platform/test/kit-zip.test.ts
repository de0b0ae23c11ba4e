import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBytes } from "@photinus/core/bytes";
import {
  type KitFiles,
  LOCAL_FOLDER,
  readKitZip,
  throwAwayProject,
  verifyKit,
} from "@photinus/core/provision";
import { nodeCrypto, readKit, systemClock, writeKitFolder, writeKitZip } from "@photinus/node-platform";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const crypto = nodeCrypto();
const unreadable = { code: "ERR_KIT_UNREADABLE" };
let folder: string;
let files: KitFiles;

/** Those that readers look at: local/ is the administrator's own. */
const signedFiles = (): KitFiles => new Map([...files].filter(([name]) => !name.startsWith(LOCAL_FOLDER)));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "photinus-zip-"));
  const { kits } = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock: systemClock() });
  files = kits.get("site-1")?.files ?? new Map();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the zip file of a kit", () => {
  test("gives back every file, and the kit verifies", async () => {
    const back = await readKitZip(writeKitZip("site-1", files));

    expect(back).toEqual(signedFiles());
    expect((await verifyKit(back, { nowMs: Date.now() }, { crypto })).manifest.participant).toBe("site-1");
  });

  test("is unpacked by unzip, with the modes of a folder", () => {
    const [zip, out] = [join(folder, "site-1.zip"), join(folder, "unpacked")];
    writeFileSync(zip, writeKitZip("site-1", files));

    execFileSync("unzip", ["-q", zip, "-d", out]);

    for (const [name, content] of files) {
      const path = join(out, "site-1", name);
      expect(toBytes(readFileSync(path)), name).toEqual(content);
      expect(statSync(path).mode & 0o777, name).toBe(name === "start.sh" ? 0o700 : 0o600);
    }
  });

  test("may be packed again by zip, folders, time stamps and local/ included", async () => {
    await writeKitFolder(join(folder, "again"), files);
    writeFileSync(join(folder, "again", "local", "note"), "mine");
    execFileSync("zip", ["-qr", "again.zip", "again"], { cwd: folder });

    const back = await readKit(join(folder, "again.zip"));

    expect([...back].toSorted()).toEqual([...signedFiles()].toSorted());
  });

  test("is found by readKit as well as the folder, and neither through a link", async () => {
    await writeKitFolder(join(folder, "plain"), files);
    writeFileSync(join(folder, "plain.zip"), writeKitZip("plain", files));
    symlinkSync(join(folder, "plain.zip"), join(folder, "link.zip"));

    expect((await readKit(join(folder, "plain"))).size).toBe(signedFiles().size);
    expect((await readKit(join(folder, "plain.zip"))).size).toBe(signedFiles().size);
    await expect(readKit(join(folder, "link.zip"))).rejects.toMatchObject(unreadable);
  });
});
