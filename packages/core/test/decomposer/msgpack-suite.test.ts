import {
  decode as bareDecode,
  DecodeError,
  decodeTimestampToTimeSpec,
  ExtData,
  ExtensionCodec,
} from "@msgpack/msgpack";
import { type Bytes, fromHex, toHex } from "@photinus/core/bytes";
import { builtInRegistry, decode, encode } from "@photinus/core/decomposer";
import { describe, expect, test } from "vitest";
import vectors from "../vectors/msgpack-test-suite.json" with { type: "json" };

// Source of the vectors: kawanet/msgpack-test-suite (MIT), as the file says.

interface Case {
  readonly name: string;
  /** `undefined` for timestamps and extensions, which no plain value stands for. */
  readonly value: unknown;
  readonly extension: { readonly code: number; readonly data: string } | undefined;
  readonly timestamp: readonly [seconds: number, nanoseconds: number] | undefined;
  readonly forms: readonly Bytes[];
}

interface RawCase {
  readonly binary?: string;
  readonly bignum?: string;
  readonly ext?: readonly [number, string];
  readonly timestamp?: readonly [number, number];
  readonly msgpack: readonly string[];
  readonly [kind: string]: unknown;
}

const hex = (dashed: string): string => dashed.replaceAll("-", "");

function plainValue(raw: RawCase): unknown {
  if (raw.binary !== undefined) return fromHex(hex(raw.binary));
  if (raw.bignum !== undefined) return Number(raw.bignum);
  const kind = Object.keys(raw).find((key) => key !== "msgpack") ?? "";
  return raw[kind];
}

const cases: readonly Case[] = Object.entries(vectors.suite as unknown as Record<string, RawCase[]>).flatMap(
  ([file, list]) =>
    list.map((raw, index) => ({
      name: `${file} ${index + 1}`,
      value: plainValue(raw),
      extension: raw.ext === undefined ? undefined : { code: raw.ext[0], data: hex(raw.ext[1]) },
      timestamp: raw.timestamp,
      forms: raw.msgpack.map((form) => fromHex(hex(form))),
    })),
);

describe("the bare codec, which tests compare ours with", () => {
  const extensionCodec = new ExtensionCodec();
  extensionCodec.register({
    type: -1,
    encode: () => null,
    decode: (data) => decodeTimestampToTimeSpec(data),
  });

  test.each(cases)("decodes every form of $name", ({ value, extension, timestamp, forms }) => {
    for (const form of forms) {
      const decoded = bareDecode(form, { extensionCodec });
      if (timestamp !== undefined) expect(decoded).toEqual({ sec: timestamp[0], nsec: timestamp[1] });
      else if (extension !== undefined) {
        expect(decoded).toBeInstanceOf(ExtData);
        expect(decoded).toMatchObject({ type: extension.code });
        expect(toHex((decoded as ExtData).data as Bytes)).toBe(extension.data);
      } else expect(decoded).toEqual(value);
    }
  });
});

describe("the strict reader", () => {
  const registry = builtInRegistry();
  const refused = expect.objectContaining({ code: "ERR_DECODE_REFUSED" });

  test.each(cases)("takes the shortest form of $name only", ({ value, extension, timestamp, forms }) => {
    const isPlain = extension === undefined && timestamp === undefined;
    const shortest = isPlain ? toHex(encode(value, registry)) : "";
    let taken = 0;
    for (const form of forms) {
      if (toHex(form) === shortest) {
        taken += 1;
        expect(decode(form, registry)).toEqual(value);
      } else expect(() => decode(form, registry)).toThrow(refused);
    }
    // Extensions are refused by their code; a longer form is already refused by its length.
    const code = extension?.code ?? (timestamp === undefined ? undefined : -1);
    if (code !== undefined && code !== 1) {
      const [shortestForm] = [...forms].sort((left, right) => left.length - right.length);
      expect(() => decode(shortestForm ?? new Uint8Array(), registry)).toThrow(
        `extension code ${code} is not registered`,
      );
    }
    const isUnsafe = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
    expect(taken).toBe(isPlain && !isUnsafe ? 1 : 0);
  });
});

test.each([...vectors.suite["23.number-bignum.yaml"]])("a bigint carries $bignum in one form", (raw) => {
  const registry = builtInRegistry();
  const bytes = encode(BigInt(raw.bignum), registry);

  expect(raw.msgpack.filter((form) => toHex(bytes).endsWith(`9201${hex(form)}`))).toHaveLength(1);
  expect(decode(bytes, registry)).toBe(BigInt(raw.bignum));
});

test("the vectors are all there", () => {
  expect(cases).toHaveLength(85);
  expect(cases.reduce((count, { forms }) => count + forms.length, 0)).toBe(233);
  expect(DecodeError).toBeDefined();
});
