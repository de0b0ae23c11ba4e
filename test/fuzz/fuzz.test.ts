import { toHex } from "@photinus/core/bytes";
import { PhotinusError, WireError } from "@photinus/core/errors";
import { expect, test } from "vitest";
import { type FuzzTarget, fuzz, outcomeOf } from "./engine.ts";
import { TARGETS } from "./targets.ts";

// A bounded number of inputs, the same in every run. `npm run fuzz -- --minutes 10` tries others for longer.

const SEED = "20261123";
/** Inputs for each target; those that verify signatures take longer for each. */
const ITERATIONS = 5_000;

test.each(TARGETS)("$name takes or refuses every seed and every input of the corpus", async (target) => {
  for (const seed of target.seeds) expect(await outcomeOf(target, seed)).toMatchObject({ defect: undefined });
});

test.each(TARGETS)(
  "$name takes or refuses whatever is made of them, and takes nothing for something else",
  async (target) => {
    const { iterations, findings, signatures } = await fuzz(target, { seed: SEED, iterations: ITERATIONS });

    expect(findings.map(({ defect, input }) => `${defect}: ${toHex(input)}`)).toEqual([]);
    expect(iterations).toBe(ITERATIONS);
    // Mutation gets behind the first check of a decoder: it is refused in many ways.
    expect(signatures).toBeGreaterThan(target.name === "join-link" ? 1 : 5);
  },
  120_000,
);

test("at least one seed of every target is taken, so that mutation begins with what is valid", async () => {
  for (const target of TARGETS) {
    const outcomes = await Promise.all(target.seeds.map((seed) => outcomeOf(target, seed)));
    expect(
      outcomes.some(({ signature }) => signature.startsWith("taken")),
      target.name,
    ).toBe(true);
  }
});

/** A decoder with a defect: it trusts a length. */
const broken: FuzzTarget = {
  name: "broken",
  shape: "plain",
  seeds: [Uint8Array.of(80, 72, 3, 1, 2, 3)],
  read(bytes) {
    if (bytes[0] !== 80) throw new WireError("ERR_FRAME_MALFORMED", "no magic");
    const length = bytes[2] ?? 0;
    if (length > 3) return String(bytes[2 + length]?.toFixed()) === "undefined" ? fail() : "taken";
    return "taken";
  },
};

function fail(): never {
  throw new TypeError("reads beyond the end");
}

test("finds a planted defect, and makes the input small that shows it", async () => {
  const { findings } = await fuzz(broken, { seed: SEED, iterations: 2_000 });

  expect(findings).toMatchObject([{ target: "broken", defect: "TypeError: reads beyond the end" }]);
  const [finding] = findings;
  expect(finding?.input.byteLength).toBeLessThanOrEqual(3);
  expect((await outcomeOf(broken, finding?.input ?? new Uint8Array(0))).defect).toBe(finding?.defect);
});

test("an internal error is a defect, though it is one of Photinus", async () => {
  const internal: FuzzTarget = {
    ...broken,
    read() {
      throw new WireError("ERR_INTERNAL", "our own fault");
    },
  };

  expect((await outcomeOf(internal, new Uint8Array(1))).defect).toContain("our own fault");
  expect(new WireError("ERR_INTERNAL", "")).toBeInstanceOf(PhotinusError);
});
