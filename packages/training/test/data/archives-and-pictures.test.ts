import { type Bytes, concatBytes, crc32, fromBase64 } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseNpz, parsePicture, pictureDataset } from "../../src/data/index.ts";
import { fitPicture, MAX_PICTURE_PIXELS } from "../../src/data/picture.ts";
import files from "../vectors/data-files/files.json" with { type: "json" };

const malformedBy = (message: RegExp): object => ({
  code: "ERR_DATA_MALFORMED",
  message: expect.stringMatching(message),
});

describe("parseNpz", () => {
  test.each(["stored", "deflated"] as const)("reads what numpy saved, %s", async (kind) => {
    const arrays = await parseNpz(fromBase64(files[kind]), "f");

    const read = [...arrays].map(([name, { shape, values }]) => [
      name,
      { shape, values: [...values].map(Number) },
    ]);
    expect(Object.fromEntries(read)).toEqual(files.arrays);
  });

  test("reads arrays that shrink as far as zeros do", async () => {
    const arrays = await parseNpz(fromBase64(files.zeros), "f");

    expect(arrays.get("x")?.shape).toEqual([64, 1024]);
  });

  test("refuses an archive whose arrays are larger than its limit, before it unpacks one", async () => {
    const bytes = fromBase64(files.zeros);
    const view = new DataView(bytes.buffer);
    const central = view.getUint32(bytes.length - 6, true);
    view.setUint32(central + 24, 0x7fffffff, true);

    await expect(parseNpz(bytes, "f")).rejects.toMatchObject(
      malformedBy(/larger than 1073741824 bytes.*savez/),
    );
  });

  test("refuses an entry that unpacks to more than it claims", async () => {
    const bytes = fromBase64(files.zeros);
    const view = new DataView(bytes.buffer);
    const central = view.getUint32(bytes.length - 6, true);
    view.setUint32(central + 24, 1000, true);
    const own = 30 + view.getUint16(26, true) + 4;
    view.setBigUint64(own, 1000n, true);

    await expect(parseNpz(bytes, "f")).rejects.toMatchObject(malformedBy(/size that it claims/));
  });

  test("ends in arrays or a typed error for any bytes", async () => {
    const start = fromBase64(files.deflated);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        fc.nat(start.length - 1),
        async (noise, at) => {
          const bytes = Uint8Array.from(start);
          bytes.set(noise.subarray(0, start.length - at), at);
          await parseNpz(bytes, "f").catch((error: unknown) =>
            expect(error).toMatchObject({ code: "ERR_DATA_MALFORMED" }),
          );
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });
});

describe("parsePicture", () => {
  test.each(files.pictures)("reads $format of mode $mode as Pillow does", async (vector) => {
    const { width, height, channels, pixels } = await parsePicture(fromBase64(vector.file), "p");

    expect({ width, height, channels }).toEqual({ width: 13, height: 9, channels: vector.channels });
    // Decoders of JPEG round the cosine transform and blow up colours each in their own way.
    const tolerance = vector.format === "JPEG" ? (vector.mode === "L" ? 2 : 40) : 1;
    const expected = fromBase64(vector.pixels);
    expect(Math.max(...expected.map((value, at) => Math.abs(value - pixels[at]!)))).toBeLessThanOrEqual(
      tolerance,
    );
  });

  const png = fromBase64(files.pictures[3]!.file);
  const jpeg = fromBase64(files.pictures[6]!.file);
  const chunk = (type: string, data: Bytes): Bytes => {
    const body = concatBytes(new TextEncoder().encode(type), data);
    const numbers = new DataView(new ArrayBuffer(8));
    numbers.setUint32(0, data.length);
    numbers.setUint32(4, crc32(body));
    return concatBytes(new Uint8Array(numbers.buffer, 0, 4), body, new Uint8Array(numbers.buffer, 4, 4));
  };
  /** The picture with another header: its bytes from 16 to 28 are width, height, depth, type, ... */
  const withHeader = (change: (header: DataView) => void): Bytes => {
    const header = png.slice(16, 29);
    change(new DataView(header.buffer));
    return concatBytes(png.slice(0, 8), chunk("IHDR", header), png.slice(33));
  };
  const jpegOf = (height: number, width: number): Bytes => {
    const bytes = Uint8Array.from(jpeg);
    const at = bytes.findIndex((byte, index) => byte === 0xff && bytes[index + 1] === 0xc0);
    new DataView(bytes.buffer).setUint32(at + 5, height * 65_536 + width);
    return bytes;
  };

  test.each([
    ["a file of another kind", Uint8Array.of(71, 73, 70, 56), /neither PNG nor JPEG/],
    [
      "more pixels than are read",
      withHeader((header) => header.setUint32(0, MAX_PICTURE_PIXELS)),
      /make it smaller/,
    ],
    ["no pixels", withHeader((header) => header.setUint32(4, 0)), /13 x 0 pixels/],
    [
      "more lines than its header says",
      withHeader((header) => header.setUint32(4, 1)),
      /do not unpack to its size/,
    ],
    ["fewer lines than its header says", withHeader((header) => header.setUint32(4, 90)), /fewer pixels/],
    ["interlacing", withHeader((header) => header.setUint8(12, 1)), /save it without/],
    ["colours that there are not", withHeader((header) => header.setUint8(9, 5)), /colours of type 5/],
    ["a palette that is not there", withHeader((header) => header.setUint8(9, 3)), /palette|unpack/],
    ["a damaged chunk", png.map((byte, at) => (at === 60 ? byte ^ 1 : byte)), /damaged/],
    ["an end before its end", png.slice(0, -12), /cut off/],
    ["a JPEG picture of more pixels than are read", jpegOf(65_000, 65_000), /65000 x 65000 pixels.*smaller/],
    ["a JPEG picture that is cut off", jpeg.slice(0, 400), /damaged JPEG|no picture/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(parsePicture(bytes, "p")).rejects.toMatchObject(malformedBy(message));
  });

  test.each([
    ["PNG", png],
    ["JPEG", jpeg],
  ])("ends in a picture or a typed error for any %s", async (_, start) => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 3 }),
        fc.nat(start.length - 1),
        async (noise, at) => {
          const bytes = Uint8Array.from(start);
          bytes.set(noise.subarray(0, start.length - at), at);
          await parsePicture(bytes, "p").catch((error: unknown) =>
            expect(error).toMatchObject({ code: "ERR_DATA_MALFORMED" }),
          );
        },
      ),
      { seed: 6, numRuns: 80 },
    );
  });

  test("is made smaller as Pillow makes it, from its middle", () => {
    const { from, width, height, to, pixels } = files.fit;
    const picture = { width, height, channels: 3, pixels: fromBase64(from) } as const;

    const fitted = fitPicture(picture, { width: to[0]!, height: to[1]!, channels: 3 });

    // Pillow rounds between rows and columns.
    const expected = fromBase64(pixels);
    expect(
      Math.max(...expected.map((value, at) => Math.abs(value - fitted.pixels[at]!))),
    ).toBeLessThanOrEqual(1);
  });
});

describe("a data set of pictures", () => {
  const options = { name: "p", classCount: 2, width: 13, height: 9 };
  const file = (index: number, label: number) => ({
    ...{ name: `${index}.png`, label, read: async () => fromBase64(files.pictures[index]!.file) },
  });

  test("has colours one behind the other, as convolutions take them", async () => {
    const dataset = await pictureDataset([file(1, 0), file(3, 1)], { ...options, channels: 3 });
    const into = { features: [new Float32Array(9 * 13 * 3)], labels: new Int32Array(1) };
    dataset.read(Uint32Array.of(1), into);

    expect(dataset).toMatchObject({
      count: 2,
      features: [{ name: "image", dtype: "f32", shape: [3, 9, 13] }],
    });
    const pixels = fromBase64(files.pictures[3]!.pixels);
    const expected = Float32Array.from(
      { length: 351 },
      (_, at) => pixels[(at % 117) * 3 + Math.floor(at / 117)]! / 255,
    );
    expect(into.features[0]).toEqual(expected);
    expect(into.labels[0]).toBe(1);
  });

  test.each([
    ["a label that is no class", [file(1, 2)], {}, /no class below 2/],
    [
      "more of them than memory is for",
      Array.from({ length: 5000 }, () => file(1, 0)),
      { width: 600, height: 600 },
      /make width and height smaller/,
    ],
  ])("is refused with %s, before a picture is read", async (_, pictures, change, message) => {
    await expect(pictureDataset(pictures, { ...options, channels: 1, ...change })).rejects.toMatchObject(
      malformedBy(message),
    );
  });
});
