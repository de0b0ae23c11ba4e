import { describe, expect, test } from "vitest";
import { fromHex, toHex } from "../../src/bytes/index.ts";
import { builtInRegistry, decode, encode } from "../../src/decomposer/index.ts";
import { FIRST_MESSAGE_TYPE, MESSAGES, parsePublication } from "../../src/message/index.ts";
import golden from "./golden.json" with { type: "json" };
import { SAMPLES } from "./samples.ts";

const registry = builtInRegistry();
const GOLDEN: Readonly<Record<string, string>> = golden;

describe("the catalogue of messages", () => {
  test("holds every kind once, above the ids of the session layer", () => {
    expect(MESSAGES.size).toBe(SAMPLES.length);
    for (const [type, definition] of MESSAGES) {
      expect(definition.type).toBe(type);
      expect(type).toBeGreaterThanOrEqual(FIRST_MESSAGE_TYPE);
    }
  });

  test("never reuses a number: these are the numbers for ever", () => {
    expect(Object.fromEntries([...MESSAGES].map(([type, { name }]) => [name, type]))).toEqual({
      "site-ready": 20,
      "job-accept": 21,
      "job-decline": 22,
      "job-ready": 23,
      "blob-request": 24,
      "job-graph": 25,
      task: 26,
      "task-progress": 27,
      contribution: 28,
      "evaluation-result": 29,
      "task-failed": 30,
      "contribution-received": 31,
      "contribution-committed": 32,
      "contribution-refused": 33,
      "job-ended": 34,
      "job-submit": 35,
      "job-submitted": 36,
      observe: 37,
      observation: 38,
      "job-abort": 39,
      "result-request": 40,
      "result-model": 41,
      "request-failed": 42,
      "administration-query": 60,
      "invite-list": 61,
      "request-list": 62,
      "certificate-list": 63,
      "command-done": 64,
      "renewal-request": 65,
      renewed: 66,
      "job-source-request": 67,
      "job-source": 68,
      "job-clone": 69,
      "resource-check": 88,
      "resource-answer": 89,
      "resource-cancel": 90,
      "job-postpone": 91,
      "job-query": 96,
      "job-list": 97,
      "graph-request": 98,
      "audit-behind": 104,
    });
  });

  test("lets nobody but sites speak as a site and nobody but the server as the server", () => {
    for (const { from } of MESSAGES.values()) {
      expect(from.includes("site") && from.length > 1).toBe(false);
      expect(from.includes("server") && from.length > 1).toBe(false);
    }
  });

  test("has what counts signed by its author", () => {
    const signed = [...MESSAGES.values()].filter((definition) => definition.signed).map(({ name }) => name);
    expect(signed).toEqual(
      expect.arrayContaining([
        "job-accept",
        "task",
        "contribution",
        "evaluation-result",
        "contribution-committed",
      ]),
    );
  });
});

describe.each(SAMPLES.map(([definition, body]) => ({ name: definition.name, definition, body })))(
  "$name",
  ({ name, definition, body }) => {
    test("has the bytes that it had in the first version", () => {
      expect(toHex(encode(body, registry))).toBe(GOLDEN[name]);
    });

    test("parses what it was encoded from", () => {
      const bytes = fromHex(GOLDEN[name] ?? "");
      expect(definition.parse(decode(bytes, registry))).toEqual(body);
    });

    test("refuses a body with a field too many", () => {
      expect(() => definition.parse({ ...(body as object), extra: 1 })).toThrow(
        expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED" }),
      );
    });

    test("refuses a body without one of its fields, and one with a field of another type", () => {
      for (const field of Object.keys(body as object)) {
        if (OPTIONAL.has(field)) continue;
        const { [field]: _left, ...rest } = body as Record<string, unknown>;
        expect(() => definition.parse(rest)).toThrow(
          expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED" }),
        );
        for (const value of [null, -1, "x".repeat(3000), [[]], { a: 1 }]) {
          expect(() => definition.parse({ ...rest, [field]: value })).toThrow(
            expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED" }),
          );
        }
      }
    });

    test.each([undefined, null, 1, "text", [], new Map()])("refuses %s", (value) => {
      expect(() => definition.parse(value)).toThrow(
        expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED" }),
      );
    });
  },
);

/** Optional fields, and numbers of which the coordinator judges the value so that the cause can be told. */
const OPTIONAL = new Set([
  "gpus",
  "units",
  "token",
  "evaluation",
  "submitToken",
  "fromSequence",
  "root",
  "exampleCount",
  "trainingLoss",
  "taskId",
  "after",
  "next",
]);

describe("a publication", () => {
  const publication = {
    jobId: "0".repeat(32),
    kind: "model",
    version: 1,
    root: new Uint8Array(32),
    blobId: new Uint8Array(16),
    chunkBytes: 65_536,
    totalBytes: 65_537,
    leaves: new Uint8Array(64),
    tensors: [],
  };

  test("has one leaf a chunk", () => {
    expect(parsePublication(publication)).toEqual(publication);
    for (const leaves of [new Uint8Array(32), new Uint8Array(96), new Uint8Array(63)]) {
      expect(() => parsePublication({ ...publication, leaves })).toThrow(
        expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED" }),
      );
    }
  });
});
