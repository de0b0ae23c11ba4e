import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { type SealedManifest, sealedManifestSchema } from "../../src/sealing/index.ts";
import {
  readSignedStatement,
  readStatement,
  type StatementFields,
  writeSignedStatement,
  writeStatement,
} from "../../src/sealing/statement.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { JOB } from "./parties.ts";

const bytes = (length: number, value = 1): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value);

const manifest: SealedManifest = {
  stream: {
    streamId: bytes(16),
    chunkBytes: 65_536,
    totalBytes: 65_536 + 17,
    leaves: bytes(64),
    root: bytes(32),
  },
  statement: bytes(300),
  keys: [{ to: "bob", packageId: bytes(16), encapsulated: bytes(32), wrapped: bytes(48) }],
};
const [key] = manifest.keys;

describe("the schema of a manifest", () => {
  test("takes what is right", () => {
    expect(v.parse(sealedManifestSchema, manifest)).toEqual(manifest);
  });

  const stream = (change: object) => ({ ...manifest, stream: { ...manifest.stream, ...change } });
  const keys = (change: object) => ({ ...manifest, keys: [{ ...key, ...change }] });
  const cases: readonly (readonly [string, unknown])[] = [
    ["no manifest", undefined],
    ["one more field", { ...manifest, tensors: [] }],
    ["one more field of a key", keys({ round: 3 })],
    ["one more field of the stream", stream({ norm: 1 })],
    ["a stream id of another length", stream({ streamId: bytes(15) })],
    ["chunks that are too small", stream({ chunkBytes: 65_535 })],
    ["chunks that are too large", stream({ chunkBytes: 1_048_577 })],
    ["a length that is no number", stream({ totalBytes: "65553" })],
    ["a length beyond 4 GiB", stream({ totalBytes: 2 ** 32 + 1 })],
    ["a leaf too few", stream({ leaves: bytes(32) })],
    ["half a leaf", stream({ leaves: bytes(65) })],
    ["a last chunk that holds nothing but its tag", stream({ totalBytes: 65_536 + 16 })],
    ["a chunk that holds nothing at all", stream({ totalBytes: 16, leaves: bytes(32) })],
    ["a root of another length", stream({ root: bytes(31) })],
    ["no statement", { ...manifest, statement: bytes(16) }],
    ["a statement beyond 256 KiB", { ...manifest, statement: bytes(262_144 + 17) }],
    ["no key", { ...manifest, keys: [] }],
    ["257 keys", { ...manifest, keys: Array.from({ length: 257 }, () => key) }],
    ["a recipient without a name", keys({ to: "" })],
    ["a recipient with a long name", keys({ to: "x".repeat(129) })],
    ["an encapsulated key of another length", keys({ encapsulated: bytes(33) })],
    ["a wrapped key of another length", keys({ wrapped: bytes(47) })],
    ["an id of a package that is text", keys({ packageId: "0123456789abcdef" })],
  ];
  test.for(cases)("refuses %s", ([, value]) => {
    expect(v.safeParse(sealedManifestSchema, value).success).toBe(false);
  });
});

const fields: StatementFields = {
  algorithm: 1,
  context: { project: "test", job: JOB, round: 3, from: "alice" },
  streamId: bytes(16),
  issuedAt: 1_782_000_000_000,
  recipients: [{ to: "bob", packageId: bytes(16) }],
  chunkBytes: 65_520,
  totalBytes: 24,
  plaintextRoot: bytes(32),
  exampleCount: 5,
  norm: 0.5,
  tensors: [{ name: "w", dtype: "f32", shape: [2, 3], offset: 0 }],
};

describe("a statement", () => {
  test("is read as it was written, and has one encoding", () => {
    const written = writeStatement(fields);

    const { project, round, from, recipients, tensors, norm } = readStatement(written);

    expect({ project, round, from }).toEqual({ project: "test", round: 3, from: "alice" });
    expect([recipients, tensors, norm]).toEqual([fields.recipients, fields.tensors, 0.5]);
    expect(writeStatement(fields)).toEqual(written);
  });

  const refused: readonly (readonly [string, Partial<StatementFields>])[] = [
    ["no recipient", { recipients: [] }],
    [
      "257 recipients",
      { recipients: Array.from({ length: 257 }, () => ({ to: "b", packageId: bytes(16) })) },
    ],
    ["a norm below zero", { norm: -1 }],
    ["more examples than there are", { exampleCount: 2 ** 48 + 1 }],
    ["an algorithm that does not exist", { algorithm: 4 }],
    [
      "a tensor of an unknown dtype",
      { tensors: [{ name: "w", dtype: "f8" as "f32", shape: [1], offset: 0 }] },
    ],
    [
      "a tensor of too many dimensions",
      { tensors: [{ name: "w", dtype: "f32", shape: bytes(9) as never, offset: 0 }] },
    ],
    ["a tensor without a name", { tensors: [{ name: "", dtype: "f32", shape: [1], offset: 0 }] }],
    [
      "a tensor outside of everything",
      { tensors: [{ name: "w", dtype: "f32", shape: [1], offset: 2 ** 33 }] },
    ],
    ["a short stream id", { streamId: bytes(15) }],
  ];
  test.for(refused)("with %s is refused", ([, change]) => {
    expect(() => readStatement(writeStatement({ ...fields, ...change }))).toThrow(
      expect.objectContaining({ code: "ERR_DECODE_REFUSED" }) as Error,
    );
  });

  test("that is cut, goes on, or is any other bytes is refused by a code, never by another error", () => {
    const written = writeStatement(fields);
    const signed = writeSignedStatement({ signer: bytes(32), statement: written, signature: bytes(64) });
    const random = seededRandom(77);
    const candidates = [
      ...Array.from(written, (_, length) => written.slice(0, length)),
      Uint8Array.from([...written, 0]),
      ...Array.from({ length: 2000 }, (_, index) => random.bytes(index % 90)),
    ];
    const refusal = expect.objectContaining({ code: "ERR_DECODE_REFUSED" }) as Error;

    for (const candidate of candidates) {
      expect(() => readStatement(candidate)).toThrow(refusal);
      expect(() => readSignedStatement(candidate)).toThrow(refusal);
    }
    expect(readSignedStatement(signed).statement).toEqual(written);
  });

  test("with any bit turned is read as another statement or refused by a code", () => {
    const written = writeStatement(fields);
    for (let bit = 0; bit < written.length * 8; bit++) {
      const turned = written.slice();
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        expect(readStatement(turned)).not.toEqual(readStatement(written));
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_DECODE_REFUSED" });
      }
    }
  });
});
