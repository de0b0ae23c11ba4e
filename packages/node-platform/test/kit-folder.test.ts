import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "@photinus/core/bytes";
import { LOCAL_FOLDER, openKit, throwAwayProject, verifyKit } from "@photinus/core/provision";
import { nodeCrypto, readKitFolder, systemClock, writeKitFolder } from "@photinus/node-platform";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const crypto = nodeCrypto();
const clock = systemClock();
const unreadable = { code: "ERR_KIT_UNREADABLE" };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "photinus-kit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function aKit() {
  const project = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock });
  const kit = project.kits.get("site-1");
  if (kit === undefined) throw new Error("no kit");
  return kit;
}

async function aKitFolder(): Promise<string> {
  const path = join(folder, "site-1");
  await writeKitFolder(path, (await aKit()).files);
  return path;
}

describe("a kit's folder", () => {
  test("gives back the kit that was written, and it opens", async () => {
    const kit = await aKit();
    const path = join(folder, "deep", "site-1");

    await writeKitFolder(path, kit.files);
    const files = await readKitFolder(path);

    const signed = [...kit.files].filter(([name]) => !name.startsWith(LOCAL_FOLDER)); // local/ is read by itself
    expect(files).toEqual(new Map(signed));
    const opened = await openKit(files, { secret: kit.secret, nowMs: clock.now() }, { crypto });
    expect(opened.identity.participant.name).toBe("site-1");
  });

  test("is for its owner only", async () => {
    const path = await aKitFolder();

    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, "key.pem")).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "start.sh")).mode & 0o777).toBe(0o700);
  });

  test("may hold what its administrator puts into local/", async () => {
    const path = await aKitFolder();
    writeFileSync(join(path, "local", "privacy.json"), "{}");

    await verifyKit(await readKitFolder(path), { nowMs: clock.now() }, { crypto });
  });

  test("tells of a file that was added, by its manifest", async () => {
    const path = await aKitFolder();
    writeFileSync(join(path, "extra"), "x");

    await expect(
      verifyKit(await readKitFolder(path), { nowMs: clock.now() }, { crypto }),
    ).rejects.toMatchObject({ code: "ERR_KIT_UNEXPECTED_FILE" });
  });
});

describe("a kit's folder is refused", () => {
  test("when it is missing", async () => {
    await expect(readKitFolder(join(folder, "none"))).rejects.toMatchObject(unreadable);
  });

  test("when a file is a link, even to a good file", async () => {
    const path = await aKitFolder();
    rmSync(join(path, "key.pem"));
    symlinkSync("/etc/hostname", join(path, "key.pem"));

    await expect(readKitFolder(path)).rejects.toMatchObject(unreadable);
  });

  test("when local/ is a link, or another folder or a socket lies in it", async () => {
    const linked = await aKitFolder();
    rmSync(join(linked, "local"), { recursive: true });
    symlinkSync(tmpdir(), join(linked, "local"));
    await expect(readKitFolder(linked)).rejects.toMatchObject(unreadable);

    rmSync(join(linked, "local"));
    mkdirSync(join(linked, "more"));
    await expect(readKitFolder(linked)).rejects.toMatchObject(unreadable);

    rmSync(join(linked, "more"), { recursive: true });
    const listener = createServer().listen(join(linked, "socket"));
    await once(listener, "listening");
    await expect(readKitFolder(linked)).rejects.toMatchObject(unreadable);
    listener.close();
  });

  test("when a file is too large, or there are too many", async () => {
    const path = await aKitFolder();
    writeFileSync(join(path, "big"), "");
    truncateSync(join(path, "big"), 1_048_577);
    await expect(readKitFolder(path)).rejects.toMatchObject(unreadable);

    rmSync(join(path, "big"));
    for (let index = 0; index < 65; index++) writeFileSync(join(path, `file-${index}`), "");
    await expect(readKitFolder(path)).rejects.toMatchObject(unreadable);
  });

  test("for writing when something is there already", async () => {
    const path = await aKitFolder();

    await expect(writeKitFolder(path, (await aKit()).files)).rejects.toMatchObject(unreadable);
  });

  test("for writing a path that leads out of it, and nothing is left behind", async () => {
    const path = join(folder, "bad");

    await expect(writeKitFolder(path, new Map([["../out", utf8("x")]]))).rejects.toThrow(RangeError);
    await expect(readKitFolder(path)).rejects.toMatchObject(unreadable);
    expect(readdirSync(folder)).toEqual([]);
  });
});
