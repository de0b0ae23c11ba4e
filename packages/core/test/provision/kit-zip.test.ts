import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import { webCrypto } from "@photinus/core/platform";
import { type KitFiles, readKitZip, throwAwayProject, verifyKit } from "@photinus/core/provision";
import { TEST_EPOCH_MS } from "@photinus/core/testing";
import { beforeAll, expect, test } from "vitest";
import { aZip, type ForgedEntry } from "./a-zip.ts";

const crypto = webCrypto();
const now = { nowMs: TEST_EPOCH_MS };
const unreadable = { code: "ERR_KIT_UNREADABLE" };
let files: KitFiles;

beforeAll(async () => {
  const clock = { now: () => TEST_EPOCH_MS };
  const { kits } = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock });
  const all = kits.get("site-1")?.files ?? new Map();
  files = new Map([...all].filter(([name]) => !name.startsWith("local/")));
});

const entriesOf = (folder: string): readonly ForgedEntry[] =>
  [...files].map(([name, content]) => ({ name: `${folder}${name}`, content }));

test.each(["", "site-1/"])(
  "gives back every file of a kit inside %j, without folders and what is local",
  async (folder) => {
    const others = [{ name: `${folder}local/`, mode: 0o040700 }, { name: `${folder}local/note` }];

    const back = await readKitZip(await aZip([...entriesOf(folder), ...others]));

    expect(back).toEqual(files);
    expect((await verifyKit(back, now, { crypto })).manifest.participant).toBe("site-1");
  },
);

const many = (count: number): readonly ForgedEntry[] =>
  Array.from({ length: count }, (_, index) => ({ name: `f${index}` }));
const named = (name: string | Bytes): readonly ForgedEntry[] => [{ name }];

const refusals: readonly (readonly [string, readonly ForgedEntry[], RegExp])[] = [
  ["a name that leads up", named("k/../a"), /a name that is not admitted/],
  ["a name that leads up behind a folder", named("../a"), /a name that is not admitted/],
  ["a name that is only dots", named("k/.."), /a name that is not admitted/],
  ["an absolute name", named("/etc/passwd"), /a name that is not admitted/],
  ["a name of Windows", named("k/c:\\a"), /a name that is not admitted/],
  ["a name with a NUL", named("k/a\0aa"), /a name that is not admitted/],
  ["a name that is not UTF-8", named(Uint8Array.of(255, 254, 97, 97)), /not UTF-8/],
  ["a folder that no kit has", [{ name: "k/a" }, { name: "k/bb/cc" }], /lies in a folder/],
  ["one name twice", [{ name: "a" }, { name: "a" }], /occurs twice/],
  ["a symbolic link", [{ name: "a", mode: 0o120777 }], /link or a device/],
  ["a device", [{ name: "a", mode: 0o020600 }], /link or a device/],
  ["an encrypted entry", [{ name: "a", flags: 0x0801 }], /encrypted/],
  ["strong encryption or patches", [{ name: "a", flags: 0x0860 }], /packed in a way/],
  ["another method", [{ name: "a", method: 12 }], /method 12/],
  ["a file that is too large", [{ name: "a", size: 1_048_577 }], /larger than 1048576 bytes/],
  ["a file that grows too much", [{ name: "a", size: 1_000_000 }], /grows too much/],
  ["sizes of zip64", [{ name: "a", size: 0xffffffff, packedSize: 0xffffffff }], /larger than/],
  ["a header elsewhere", [{ name: "a", headerAt: 3 }], /not where the directory says/],
  ["two names for one entry", [{ name: "abc", localName: "abd" }], /contradict/],
  ["entries that overlap", [{ name: "a" }, { name: "a", headerAt: 0 }], /overlaps/],
  ["an entry that is cut off", [{ name: "a", packedSize: 5000, size: 5000 }], /cut off/],
  ["another checksum", [{ name: "a", crc: 1 }], /not what the directory says/],
  ["a size below the content's", [{ name: "a", content: utf8("xyz"), size: 1 }], /cannot be unpacked/],
  [
    "a size above the content's",
    [{ name: "a", content: utf8("xyz"), size: 9 }],
    /not what the directory says/,
  ],
  ["content that is not packed", [{ name: "a", method: 0, size: 3 }], /not what the directory says/],
  ["more entries than a kit has", many(300), /more than/],
];

test.each(refusals)("refuses %s", async (_name, entries, said) => {
  await expect(readKitZip(await aZip(entries))).rejects.toMatchObject({
    ...unreadable,
    message: expect.stringMatching(said) as string,
  });
});

test.each([
  ["something before it", (zip: Bytes) => concatBytes(utf8("MZ"), zip), /not whole/],
  ["something behind it", (zip: Bytes) => concatBytes(zip, utf8("x")), /something follows/],
  ["nothing", () => new Uint8Array(0), /not a zip file/],
  ["more than a kit may weigh", () => new Uint8Array(8 * 1_048_576 + 1), /a zip file of 8388609 bytes/],
])("refuses a zip file with %s", async (_name, change, said) => {
  await expect(readKitZip(change(await aZip(entriesOf("k/"))))).rejects.toMatchObject({
    ...unreadable,
    message: expect.stringMatching(said) as string,
  });
});

test("refuses a bomb that claims to be small", async () => {
  const zip = await aZip([{ name: "a", content: new Uint8Array(8 * 1_048_576), crc: 1, size: 1000 }]);

  await expect(readKitZip(zip)).rejects.toMatchObject({
    ...unreadable,
    message: expect.stringMatching(/cannot be unpacked to the size/) as string,
  });
});

test("any one byte changed is refused, unless the kit is the same that was signed", async () => {
  const zip = await aZip(entriesOf("site-1/"));
  for (let at = 0; at < zip.length; at += 37) {
    const changed = zip.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    // Times, versions and modes are not the kit's.
    await readKitZip(changed).then(
      async (back) => {
        const verified = await verifyKit(back, now, { crypto }).catch((error: unknown) => error);
        if (!("code" in Object(verified))) expect(back).toEqual(files);
      },
      (error: unknown) => expect(error).toMatchObject(unreadable),
    );
  }
});
