import type { Bytes } from "@photinus/core/bytes";
import { expect, test } from "vitest";
import { aVictim, aVictimsProject, INNER_KINDS, type InnerKind } from "./equipment/a-victim.ts";
import { endsUntouched, outerLength, refusesFromInside, turned } from "./equipment/altered-sessions.ts";
import { someBits, withBitTurned } from "./equipment/bits.ts";

// Every alteration meets a session of its own with a real handshake. `turned-bits.long` turns every bit.

const project = await aVictimsProject();
const PATIENCE_MS = 120_000;

test.each(INNER_KINDS)(
  "a valid %s frame has an effect, so that the refusals below mean something",
  async (kind) => {
    const victim = await aVictim(project);
    const inner = await victim.valid(kind);
    const before = await victim.state();

    await victim.sendValid(kind, inner);

    expect(await victim.state()).not.toBe(before);
    expect(victim.server.signal.aborted).toBe(false);
  },
);

test.each(INNER_KINDS)(
  "a bit turned on the way in a SESSION frame with %s ends the session and changes nothing",
  async (kind) => {
    const length = await outerLength(project, kind);

    for (const bit of someBits(length, { whole: kind === "MESSAGE" ? 28 : 4, step: 3 })) {
      await endsUntouched(project, kind, {
        alter: (outer) => withBitTurned(outer, bit),
        label: `bit ${bit}`,
      });
    }
  },
  PATIENCE_MS,
);

test.each(INNER_KINDS)(
  "a SESSION frame with %s that is cut short, anywhere, or longer, ends the session and changes nothing",
  async (kind) => {
    const length = await outerLength(project, kind);

    for (let end = 0; end < length; end += end < 30 ? 1 : 11) {
      await endsUntouched(project, kind, { alter: (outer) => outer.subarray(0, end), label: `${end} bytes` });
    }
    const longer = (outer: Bytes): Bytes => Uint8Array.from([...outer, 0]);
    await endsUntouched(project, kind, { alter: longer, label: "a byte more" });
  },
  PATIENCE_MS,
);

/** What is signed stays what it is, whoever encrypts it. */
const SIGNED_KINDS: readonly InnerKind[] = ["SIGNED", "OBJECT", "CHECKPOINT"];

test.each(SIGNED_KINDS)(
  "a bit turned in a %s frame, inside an authentic session, is refused wherever it is, and changes nothing",
  async (kind) => {
    const bits = (length: number): readonly number[] => someBits(length, { whole: 12, step: 1 });

    const { codes } = await refusesFromInside(project, kind, turned(bits));

    expect([...codes.keys()]).toContain("ERR_ENVELOPE_SIGNATURE_INVALID");
    expect([...codes.keys()]).toContain("ERR_DIGEST_MISMATCH");
  },
  PATIENCE_MS,
);

test.each(SIGNED_KINDS)(
  "a %s frame that is cut short anywhere, inside an authentic session, is refused and changes nothing",
  async (kind) => {
    const cut = (valid: Bytes): readonly (readonly [string, Bytes])[] =>
      Array.from({ length: valid.byteLength }, (_, end) => [`${end} bytes`, valid.subarray(0, end)] as const);

    const { codes } = await refusesFromInside(project, kind, (valid) =>
      cut(valid).filter((_, end) => end % 5 === 0),
    );

    expect([...codes.keys()]).toEqual(["ERR_FRAME_MALFORMED"]);
  },
  PATIENCE_MS,
);

/** What its author alone answers for: a turned bit makes another frame of his, which is judged like any other. */
const OTHER_KINDS: readonly InnerKind[] = ["MESSAGE", "CHUNK", "CREDIT", "ERROR", "REKEY"];

test.each(OTHER_KINDS)(
  "a bit turned by the author of a %s frame is an answer, an end or another frame of his, never a fault of the server",
  async (kind) => {
    const length = (await (await aVictim(project)).valid(kind)).byteLength;
    const outcomes = new Set<string>();
    for (const bit of someBits(length, { whole: 12, step: 1 })) {
      const victim = await aVictim(project);
      const inner = withBitTurned(await victim.valid(kind), bit);

      await victim.sendInner(inner);
      const replies = await victim.replies();

      const { code } = victim.server.signal.aborted ? await victim.server.ended : { code: "goes on" };
      for (const outcome of [code, ...replies.map((reply) => reply.code)]) outcomes.add(outcome);
      // What a chunk writes was signed leaf by leaf, whatever its frame says.
      if (kind === "CHUNK") expect(await victim.state(), `bit ${bit}`).not.toContain("wrote");
    }
    expect(outcomes).not.toContain("ERR_INTERNAL");
  },
  PATIENCE_MS,
);
