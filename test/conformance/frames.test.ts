import { describe, expect, test } from "vitest";
import { verifyChain } from "./certificate.ts";
import { labelled, prologueOf, readFrame, writeFrame } from "./frame.ts";
import { codeOf, holderOf, people, server, site, trust, user } from "./people.ts";
import { Refused } from "./refused.ts";
import { hex, required, vectors } from "./vectors.ts";

// A second implementation, made from docs/WIRE-PROTOCOL.md alone, against the published vectors. It imports nothing of
// the packages: independence.test.ts holds it to that.

test("chains lead to the root, and say who is who", () => {
  for (const described of [people.server, people.site, people.enrolledSite, people.user]) {
    const holder = holderOf(described);
    expect(holder.name).toBe(described.name);
    expect(holder.leafDigest.toString("hex")).toBe(described.leafDigest);
  }
  expect([server.role, site.role, user.role]).toEqual(["server", "site", "lead"]);
  expect(() => verifyChain(people.site.chain.map(hex), { ...trust, nowMs: people.nowMs + 1e12 })).toThrow(
    Refused,
  );
});

test("a certificate has one digest, whichever s its issuer has written", () => {
  const second = hex(people.secondFormOfSite);

  expect(second.equals(hex(required(people.site.chain[0])))).toBe(false);
  expect(verifyChain([second], trust).leafDigest.toString("hex")).toBe(people.site.leafDigest);
});

interface FrameVectors {
  readonly labels: readonly { readonly context: string; readonly content: string; readonly bytes: string }[];
  readonly prologues: readonly { readonly project: string; readonly bytes: string }[];
  readonly frames: readonly {
    readonly name: string;
    readonly kind: number;
    readonly header: string;
    readonly tag: string;
    readonly payload: string;
    readonly bytes: string;
  }[];
  readonly refused: readonly { readonly name: string; readonly bytes: string; readonly code: number }[];
}

describe("frames", () => {
  const { frames, refused, labels, prologues } = vectors<FrameVectors>("frames");

  test.for(frames)("$name", ({ kind, header, tag, payload, bytes }) => {
    const frame = readFrame(hex(bytes));

    expect(frame.kind).toBe(kind);
    expect([frame.header, frame.tag, frame.payload].map((part) => part.toString("hex"))).toEqual([
      header,
      tag,
      payload,
    ]);
    expect(writeFrame(kind, frame).toString("hex")).toBe(bytes);
  });

  test.for(refused)("$name is refused by $code", ({ bytes, code }) => {
    expect(codeOf(() => readFrame(hex(bytes)))).toBe(code);
  });

  test("labels and prologues", () => {
    for (const { context, content, bytes } of labels)
      expect(labelled(context, hex(content)).toString("hex")).toBe(bytes);
    for (const { project, bytes } of prologues) expect(prologueOf(project).toString("hex")).toBe(bytes);
  });
});
