import { expect, test } from "vitest";
import { concatBytes, toHex, utf8 } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  bytesSource,
  checkManifest,
  chunkCount,
  chunkLength,
  makeManifest,
  parametersSource,
  type StreamManifest,
} from "../../src/stream/index.ts";
import { ParameterSet, packParameters, Tensor } from "../../src/tensor/index.ts";
import { seededRandom, virtualClock } from "../../src/testing/index.ts";
import { countingCrypto } from "./counting-crypto.ts";

const crypto = webCrypto();
const modules = { crypto, clock: virtualClock() };
const CHUNK = 65_536;
const content = seededRandom(1).bytes(3 * CHUNK + 17);
const aManifest = (): Promise<StreamManifest> =>
  makeManifest(bytesSource(content), { totalBytes: content.length, chunkBytes: CHUNK }, modules);

test("a manifest has the SHA-256 of each chunk, and their root under its label", async () => {
  const manifest = await aManifest();

  const leaves = await Promise.all(
    [0, 1, 2, 3].map((index) => crypto.sha256(content.slice(index * CHUNK, (index + 1) * CHUNK))),
  );
  expect(toHex(manifest.leaves)).toBe(toHex(concatBytes(...leaves)));
  const sizes = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 3, 0, 17);
  const root = concatBytes(utf8("photinus/1\0"), Uint8Array.of(6), utf8("stream"), sizes, ...leaves);
  expect(toHex(manifest.root)).toBe(toHex(await crypto.sha256(root)));
  expect(manifest.streamId).toHaveLength(16);
});

test("hashes each byte once: one hash a chunk and one for the root", async () => {
  const counting = countingCrypto(crypto);

  await makeManifest(
    bytesSource(content),
    { totalBytes: content.length, chunkBytes: CHUNK },
    { crypto: counting.crypto, clock: virtualClock() },
  );

  expect(counting.counts).toEqual({ sha256: 5, randomBytes: 1 });
});

test("reads a source as views, never as copies", async () => {
  const read: ArrayBuffer[] = [];
  const source = {
    read: (offset: number, length: number) => {
      const view = bytesSource(content).read(offset, length) as Uint8Array<ArrayBuffer>;
      read.push(view.buffer);
      return view;
    },
  };

  await makeManifest(source, { totalBytes: content.length, chunkBytes: CHUNK }, modules);

  expect(read.every((buffer) => buffer === content.buffer)).toBe(true);
});

test("cuts a stream into equal chunks and a last one", () => {
  const plan = { chunkBytes: 100_000, totalBytes: 250_000 };

  expect(chunkCount(plan)).toBe(3);
  expect([0, 1, 2].map((index) => chunkLength(plan, index))).toEqual([100_000, 100_000, 50_000]);
});

test.for([
  ["an empty stream", { totalBytes: 0 }],
  ["chunks under 64 KiB", { totalBytes: 1, chunkBytes: 65_535 }],
  ["chunks over 1 MiB", { totalBytes: 1, chunkBytes: 1_048_577 }],
  ["too many chunks", { totalBytes: 65_536 * 16_385, chunkBytes: 65_536 }],
] as const)("makes no manifest for %s", async ([, options]) => {
  await expect(makeManifest(bytesSource(content), options, modules)).rejects.toThrow(RangeError);
});

test("accepts a manifest that is what it says", async () => {
  await expect(checkManifest(await aManifest(), 1e9, crypto)).resolves.toBeUndefined();
});

test.for([
  ["more bytes than the receiver takes", {}, "ERR_STREAM_REFUSED", 1000],
  ["chunks of another size", { chunkBytes: 1000 }, "ERR_STREAM_REFUSED", 1e9],
  ["no bytes", { totalBytes: 0 }, "ERR_STREAM_REFUSED", 1e9],
  ["a fractional number of bytes", { totalBytes: 1.5 }, "ERR_STREAM_REFUSED", 1e9],
  ["too few leaves", { leaves: new Uint8Array(32) }, "ERR_STREAM_REFUSED", 1e9],
  ["a short stream id", { streamId: new Uint8Array(15) }, "ERR_STREAM_REFUSED", 1e9],
  ["another root", { root: new Uint8Array(32) }, "ERR_DIGEST_MISMATCH", 1e9],
  ["one leaf altered", { leaves: new Uint8Array(128) }, "ERR_DIGEST_MISMATCH", 1e9],
  ["another length of the last chunk", { totalBytes: 3 * CHUNK + 18 }, "ERR_DIGEST_MISMATCH", 1e9],
] as const)("refuses a manifest with %s", async ([, change, code, maximum]) => {
  const manifest = { ...(await aManifest()), ...change };

  await expect(checkManifest(manifest, maximum, crypto)).rejects.toMatchObject({ code });
});

test("parameters stream as the bytes that packing them would give, without packing them", async () => {
  const random = seededRandom(2);
  const parameters = new ParameterSet([
    ["small", new Tensor("u8", [5], random.bytes(5))],
    ["large", new Tensor("f32", [40_000], random.bytes(160_000))],
    ["empty", new Tensor("f32", [0], new Uint8Array(0))],
    ["last", new Tensor("f32", [3], random.bytes(12))],
  ]);

  const { source, layout } = parametersSource(parameters);
  const packed = packParameters(parameters);
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < layout.byteLength; offset += 7_001) {
    parts.push(await source.read(offset, Math.min(7_001, layout.byteLength - offset)));
  }

  expect(toHex(concatBytes(...parts))).toBe(toHex(packed));
  const inside = await source.read(16_384, 4_096);
  expect(inside.buffer).toBe(parameters.get("large")?.data.buffer);
});
