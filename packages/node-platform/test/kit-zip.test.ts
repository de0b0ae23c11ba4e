import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { type Bytes, concatBytes, toBytes, utf8 } from "@photinus/core/bytes";
import { type KitFiles, throwAwayProject, verifyKit } from "@photinus/core/provision";
import {
  nodeCrypto,
  readKit,
  readKitZip,
  systemClock,
  writeKitFolder,
  writeKitZip,
} from "@photinus/node-platform";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const crypto = nodeCrypto();
const unreadable = { code: "ERR_KIT_UNREADABLE" };
let folder: string;
let files: KitFiles;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "photinus-zip-"));
  const { kits } = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock: systemClock() });
  files = kits.get("site-1")?.files ?? new Map();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the zip file of a kit", () => {
  test("gives back every file, and the kit verifies", async () => {
    const back = readKitZip(writeKitZip("site-1", files));

    expect(back).toEqual(files);
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

    expect([...back].toSorted()).toEqual([...files].toSorted());
  });

  test("is found by readKit as well as the folder, and neither through a link", async () => {
    await writeKitFolder(join(folder, "plain"), files);
    writeFileSync(join(folder, "plain.zip"), writeKitZip("plain", files));
    symlinkSync(join(folder, "plain.zip"), join(folder, "link.zip"));

    expect((await readKit(join(folder, "plain"))).size).toBe(files.size);
    expect((await readKit(join(folder, "plain.zip"))).size).toBe(files.size);
    await expect(readKit(join(folder, "link.zip"))).rejects.toMatchObject(unreadable);
  });
});

/** An entry as a stranger writes it: every field may lie. */
interface Forged {
  readonly name: string;
  readonly localName?: string;
  readonly content?: Bytes;
  readonly method?: number;
  readonly flags?: number;
  readonly mode?: number;
  readonly size?: number;
  readonly packedSize?: number;
  readonly crc?: number;
  readonly headerAt?: number;
}

/** Changes bytes of an honest archive of one file a name. */
function forged(entries: readonly Forged[]): Bytes {
  const zips = entries.map(({ name, content = utf8("x") }) => ({
    name,
    zip: writeKitZip("k", new Map([[name, content]])),
  }));
  const locals: Bytes[] = [];
  const centrals: Bytes[] = [];
  let at = 0;
  for (const [index, { zip }] of zips.entries()) {
    const entry = entries[index];
    if (entry === undefined) throw new Error("as many as entries");
    const endView = new DataView(zip.buffer, zip.length - 22);
    const start = endView.getUint32(16, true);
    const [local, central] = [zip.slice(0, start), zip.slice(start, zip.length - 22)];
    lie(local, 0, entry, entry.localName ?? entry.name);
    lie(central, 2, entry, entry.name);
    const view = new DataView(central.buffer);
    view.setUint32(42, entry.headerAt ?? at, true);
    if (entry.mode !== undefined) view.setUint32(38, (entry.mode << 16) >>> 0, true);
    locals.push(local);
    centrals.push(central);
    at += local.length;
  }
  const size = centrals.reduce((sum, { length }) => sum + length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(8, centrals.length, true);
  view.setUint16(10, centrals.length, true);
  view.setUint32(12, size, true);
  view.setUint32(16, at, true);
  return concatBytes(...locals, ...centrals, end);
}

/** Local and central header have the same fields, two bytes apart; a name is exchanged for one of the same length. */
function lie(header: Bytes, shift: number, entry: Forged, name: string): void {
  const view = new DataView(header.buffer);
  if (entry.flags !== undefined) view.setUint16(6 + shift, entry.flags, true);
  if (entry.method !== undefined) view.setUint16(8 + shift, entry.method, true);
  if (entry.crc !== undefined) view.setUint32(14 + shift, entry.crc, true);
  if (entry.packedSize !== undefined) view.setUint32(18 + shift, entry.packedSize, true);
  if (entry.size !== undefined) view.setUint32(22 + shift, entry.size, true);
  header.set(utf8(`k/${name}`), shift === 0 ? 30 : 46);
}

describe("a zip file is refused, before anything is unpacked, with", () => {
  const cases: readonly (readonly [string, () => Bytes, RegExp])[] = [
    ["a name that leads up", () => renamed("aaaa", "../a"), /a name that no file/],
    ["a name that is only dots", () => renamed("aa", ".."), /a name that no file/],
    ["an absolute name", () => renamed("k/aaa", "/etc/"), /a name that no file/],
    ["a name of Windows", () => renamed("aaaa", "c:\\a"), /a name that no file/],
    ["a name with a NUL", () => renamed("aaaa", "a\0aa"), /a name that no file/],
    ["a name that is not UTF-8", () => renamed("aaaa", Uint8Array.of(255, 254, 97, 97)), /not UTF-8|no file/],
    ["a folder that no kit has", () => renamed("aaaaa", "bb/cc"), /lies in a folder/],
    ["one name twice", () => forged([{ name: "a" }, { name: "a" }]), /occurs twice/],
    ["a symbolic link", () => forged([{ name: "a", mode: 0o120777 }]), /link or a device/],
    ["a device", () => forged([{ name: "a", mode: 0o020600 }]), /link or a device/],
    ["an encrypted entry", () => forged([{ name: "a", flags: 0x0801 }]), /encrypted/],
    ["strong encryption or patches", () => forged([{ name: "a", flags: 0x0860 }]), /packed in a way/],
    ["another method", () => forged([{ name: "a", method: 12 }]), /method 12/],
    ["a file that is too large", () => forged([{ name: "a", size: 1_048_577 }]), /larger than 1 MiB/],
    ["a file that grows too much", () => forged([{ name: "a", size: 1_000_000 }]), /grows too much/],
    [
      "sizes of zip64",
      () => forged([{ name: "a", size: 0xffffffff, packedSize: 0xffffffff }]),
      /larger than/,
    ],
    ["a header elsewhere", () => forged([{ name: "a", headerAt: 3 }]), /not where the directory says/],
    ["two names for one entry", () => forged([{ name: "abc", localName: "abd" }]), /contradict/],
    ["entries that overlap", () => forged([{ name: "a" }, { name: "a", headerAt: 0 }]), /overlaps/],
    ["an entry that is cut off", () => forged([{ name: "a", packedSize: 5000, size: 5000 }]), /cut off/],
    ["another checksum", () => forged([{ name: "a", crc: 1 }]), /not what the directory says/],
    [
      "a size below the content's",
      () => forged([{ name: "a", content: utf8("xyz"), size: 1 }]),
      /cannot be unpacked/,
    ],
    [
      "more entries than a kit has",
      () => forged(Array.from({ length: 300 }, (_, index) => ({ name: `f${index}` }))),
      /more than/,
    ],
    ["something before it", () => concatBytes(utf8("MZ"), writeKitZip("k", files)), /not whole/],
    ["something behind it", () => concatBytes(writeKitZip("k", files), utf8("x")), /something follows/],
    ["nothing", () => new Uint8Array(0), /not a zip file/],
  ];

  /** @returns an archive of one file whose name is exchanged in both places */
  function renamed(from: string, to: string | Bytes): Bytes {
    const zip = forged([{ name: from.replace("k/", "") }]);
    const [old, fresh] = [utf8(from), typeof to === "string" ? utf8(to) : to];
    for (let at = 0; at + old.length <= zip.length; at++) {
      if (old.every((byte, index) => zip[at + index] === byte)) zip.set(fresh, at);
    }
    return zip;
  }

  test.each(cases)("%s", (_name, zip, said) => {
    expect(() => readKitZip(zip())).toThrow(
      expect.objectContaining({ ...unreadable, message: expect.stringMatching(said) as string }),
    );
  });

  test("a bomb that claims to be small, which is unpacked no further than it claims", () => {
    const bomb = toBytes(deflateRawSync(new Uint8Array(64 * 1_048_576)));
    const zip = forged([{ name: "a", content: new Uint8Array(64 * 1_048_576), size: 1000 }]);
    const before = process.cpuUsage();

    expect(() => readKitZip(zip)).toThrow(expect.objectContaining(unreadable));

    expect(bomb.length).toBeGreaterThan(1000);
    expect(process.cpuUsage(before).user).toBeLessThan(500_000);
  });

  test("any one byte changed, unless the kit then is another than was signed", async () => {
    const zip = writeKitZip("site-1", files);
    for (let at = 0; at < zip.length; at += 37) {
      const changed = zip.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      const outcome = await Promise.resolve()
        .then(() => verifyKit(readKitZip(changed), { nowMs: Date.now() }, { crypto }))
        .then(
          () => "verified",
          (error: unknown) => (error instanceof Error && "code" in error ? "refused" : error),
        );
      // Times, versions and modes are not the kit's.
      if (outcome !== "refused") expect(outcome).toBe("verified");
    }
  });
});
