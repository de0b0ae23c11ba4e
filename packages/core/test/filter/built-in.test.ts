import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { filterRegistry } from "../../src/filter/index.ts";
import { aFilter, filterModules, scriptedRandom } from "./an-update.ts";

const REFUSED = { code: "ERR_FILTER_REFUSED" };
const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
  minLength: 1,
  maxLength: 20,
});
const norm = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

describe("excluding and allowing parameters", () => {
  const update = { "head.weight": [1, 2], "head.bias": [3], "body.weight": [4] };

  test("what is excluded is zero, and the rest as it was", async () => {
    const { vectors, numbers } = await aFilter("exclude-parameters", { parameters: ["head.*"] })(update);

    expect(vectors).toEqual({ "head.weight": [0, 0], "head.bias": [0], "body.weight": [4] });
    expect(numbers).toEqual({ kept: 1, excluded: 2 });
  });

  test("what is not on the list of allowed ones is zero", async () => {
    const { vectors, numbers } = await aFilter("allow-parameters", { parameters: ["*.bias", "body.weight"] })(
      update,
    );

    expect(vectors).toEqual({ "head.weight": [0, 0], "head.bias": [3], "body.weight": [4] });
    expect(numbers).toEqual({ kept: 2, excluded: 1 });
  });
});

describe("clipping by the L2 norm", () => {
  test("an update of norm 5 is scaled to norm 1, over all parameters together", async () => {
    const { vectors, numbers } = await aFilter("clip-norm", { clippingNorm: 1 })({ a: [3], b: [0, 4] });

    expect(vectors?.["a"]?.[0]).toBeCloseTo(0.6, 6);
    expect(vectors?.["b"]?.[1]).toBeCloseTo(0.8, 6);
    expect(numbers["norm"]).toBe(5);
    expect(numbers["factor"]).toBeCloseTo(0.2, 6);
  });

  test("an update within the bound stays as it is", async () => {
    const { vectors, numbers } = await aFilter("clip-norm", { clippingNorm: 5 })({ a: [3], b: [0, 4] });

    expect(vectors).toEqual({ a: [3], b: [0, 4] });
    expect(numbers["factor"]).toBe(1);
  });

  test("the norm is at most the bound afterwards, rounding included", async () => {
    await fc.assert(
      fc.asyncProperty(
        vector,
        fc.double({ min: 1e-3, max: 100, noNaN: true }),
        async (values, clippingNorm) => {
          const { vectors } = await aFilter("clip-norm", { clippingNorm })({ a: values });

          expect(norm(vectors?.["a"] ?? [])).toBeLessThanOrEqual(clippingNorm);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("the Gaussian mechanism", () => {
  test("adds σ·C times a normal number that is half the sum of four draws", async () => {
    // Box and Muller of (u, v): √(−2 ln u) (cos 2πv + sin 2πv); twice, halved.
    const [u, v, s, t] = [0.25, 0.125, 0.5, 0.75];
    const expected =
      (Math.sqrt(-2 * Math.log(u)) * (Math.cos(2 * Math.PI * v) + Math.sin(2 * Math.PI * v)) +
        Math.sqrt(-2 * Math.log(s)) * (Math.cos(2 * Math.PI * t) + Math.sin(2 * Math.PI * t))) /
      2;
    const args = { clippingNorm: 2, noiseMultiplier: 3 };

    const filter = aFilter("gaussian-noise", args, filterModules(scriptedRandom([u, v, s, t])));
    const { vectors, numbers } = await filter({ a: [0.5] });

    expect(vectors?.["a"]?.[0]).toBeCloseTo(0.5 + 6 * expected, 5);
    expect(numbers).toEqual({ norm: 0.5, factor: 1, noiseMultiplier: 3, sigma: 6 });
  });

  test("clips before it adds, whatever stands before it in the chain", async () => {
    const { numbers } = await aFilter("gaussian-noise", { clippingNorm: 1, noiseMultiplier: 1 })({
      a: [3, 4],
    });

    expect(numbers["factor"]).toBeCloseTo(0.2, 6);
  });

  test("its noise has mean 0, the stated deviation, and the tails of a normal distribution", async () => {
    const count = 20_000;
    const { vectors } = await aFilter("gaussian-noise", { clippingNorm: 1, noiseMultiplier: 2 })({
      a: new Array<number>(count).fill(0),
    });
    const noise = vectors?.["a"] ?? [];

    const mean = noise.reduce((sum, value) => sum + value, 0) / count;
    const deviation = norm(noise) / Math.sqrt(count);
    const beyond = noise.filter((value) => Math.abs(value) > 4).length / count;
    // Five standard errors: 2/√n, 2/√(2n), √(p(1−p)/n).
    expect(Math.abs(mean)).toBeLessThan(0.071);
    expect(Math.abs(deviation - 2)).toBeLessThan(0.05);
    expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.0074);
  });

  test("costs what the accountant knows, without amplification by sampling", () => {
    const filter = filterRegistry()
      .get("gaussian-noise")
      ?.create({ clippingNorm: 1, noiseMultiplier: 1.5 }, filterModules());

    expect(filter?.mechanisms).toEqual([{ kind: "gaussian", noiseMultiplier: 1.5, samplingRate: 1 }]);
  });
});

describe("the percentile filter", () => {
  test("drops what is below the percentile of all magnitudes and cuts what is beyond the bound", async () => {
    // Magnitudes 1 2 3 4 5: the 50th percentile is 3.
    const { vectors, numbers } = await aFilter("percentile", { percentile: 50, bound: 4 })({
      a: [-1, 2, -3],
      b: [4, -5],
    });

    expect(vectors).toEqual({ a: [0, 0, -3], b: [4, -4] });
    expect(numbers).toEqual({ cutoff: 3, kept: 3, bound: 4 });
  });

  test("its percentile lies between ranks where NumPy's does", async () => {
    // numpy.percentile([1, 2, 4, 8], 40) is 2.4
    const { numbers } = await aFilter("percentile", { percentile: 40, bound: 100 })({ a: [8, -1, 4, 2] });

    expect(numbers["cutoff"]).toBeCloseTo(2.4, 6);
  });
});

describe("the sparse vector technique", () => {
  test("releases what is clearly above the threshold, cut to the bound, and nothing else", async () => {
    // So much ε that the noise is about 1e-2: the answers show what was chosen.
    const filter = aFilter("sparse-vector", { fraction: 0.5, epsilon: 1000, threshold: 2, bound: 4 });

    const { vectors, numbers } = await filter({ a: [0.5, -3, 1], b: [9] });
    const [a = [], b = []] = [vectors?.["a"], vectors?.["b"]];

    expect([a[0], a[2]]).toEqual([0, 0]);
    expect(a[1]).toBeCloseTo(-3, 0);
    expect(b[0]).toBeCloseTo(4, 0);
    expect(numbers).toEqual({ released: 2, asked: 2, epsilon: 1000 });
  });

  test("releases no more values than it may, however many are above the threshold", async () => {
    const filter = aFilter("sparse-vector", { fraction: 0.1, epsilon: 1000, threshold: 0, bound: 1 });

    const { vectors, numbers } = await filter({ a: new Array<number>(100).fill(1) });

    expect(vectors?.["a"]?.filter((value) => value !== 0)).toHaveLength(10);
    expect(numbers["released"]).toBe(10);
  });

  test.each([
    ["is released with the noise of an answer", 1 - 2 ** -52, -0.25],
    ["is not, when the noise of the query takes it below the threshold", 0, 0],
  ])("by hand, one value of 0.75 %s", async (_what, queryAngle, expected) => {
    // Each Laplace draw is ln u · cos πv, twice; with u = 1/e it is −2, or 2 where v is almost 1. ε = 4 and c = 1:
    // ε₁ = 2/(1 + 2^⅔) = 0.773, ε₂ = 1.227, ε₃ = 2, so the threshold is 0.25 − 2/ε₁ = −2.337, the query 0.75 ± 4/ε₂, which is
    // 4.01 or −2.51, and the answer 0.75 − 2/ε₃ = −0.25.
    const u = Math.exp(-1);
    const draws = [u, 0, u, 0, 0.5, 0.5, u, queryAngle, u, queryAngle, u, 0, u, 0];

    const { vectors } = await aFilter(
      "sparse-vector",
      { fraction: 1, epsilon: 4, threshold: 0.25, bound: 1 },
      filterModules(scriptedRandom(draws)),
    )({ a: [0.75] });

    expect(vectors?.["a"]?.[0]).toBeCloseTo(expected, 6);
  });

  test("costs its ε for each update", () => {
    const filter = filterRegistry()
      .get("sparse-vector")
      ?.create({ fraction: 0.1, epsilon: 0.5, threshold: 0, bound: 1 }, filterModules());

    expect(filter?.mechanisms).toEqual([{ kind: "pure", epsilon: 0.5 }]);
  });
});

describe("half precision", () => {
  // IEEE 754 binary16, by hand: 1 + 2^-11 lies between 1 and 1 + 2^-10 and goes to the even one; 2^-25 is half the smallest.
  test.each([
    [1, 1],
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
    [-0.1, -0.0999755859375],
    [65_504, 65_504],
    [2 ** -24, 2 ** -24],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [2 ** -14, 2 ** -14],
  ])("%f becomes %f", async (value, expected) => {
    const { vectors } = await aFilter("fp16", {})({ a: [value] });

    expect(vectors?.["a"]).toEqual([expected]);
  });

  test("a value beyond its range is refused, not made infinite", async () => {
    await expect(aFilter("fp16", {})({ a: [65_520] })).rejects.toMatchObject(REFUSED);
  });

  test("is done once: what has half precision stays", async () => {
    await fc.assert(
      fc.asyncProperty(vector, async (values) => {
        const filter = aFilter("fp16", {});
        const once = await filter({ a: values });

        expect((await filter({ a: once.vectors?.["a"] ?? [] })).vectors).toEqual(once.vectors);
      }),
      { seed: 2, numRuns: 100 },
    );
  });
});

describe("int8 with error feedback", () => {
  test("values become multiples of the largest magnitude over 127, each tensor by its own", async () => {
    const { vectors } = await aFilter("int8", {})({ a: [127, 1.4, -0.6], b: [0, 12.7] });

    expect(vectors?.["a"]).toEqual([127, 1, -1]);
    expect(vectors?.["b"]?.[1]).toBeCloseTo(12.7, 5);
  });

  test("what was rounded off is added to the next update", async () => {
    const filter = aFilter("int8", {});
    await filter({ a: [127, 1.4] });

    const { vectors, numbers } = await filter({ a: [127, 1.4] });

    // 1.4 + 0.4 = 1.8 becomes 2, and −0.2 is owed.
    expect(vectors?.["a"]).toEqual([127, 2]);
    expect(numbers["remainderNorm"]).toBeCloseTo(0.2, 5);
  });

  test("over the rounds what was sent is what was trained, but for the last remainder", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(...[0, 1, 2].map(() => fc.float({ noNaN: true, min: -8, max: 8 }))), {
          minLength: 1,
          maxLength: 12,
        }),
        async (rounds) => {
          const filter = aFilter("int8", {});
          const trained = [0, 0, 0];
          const sent = [0, 0, 0];
          let remainder = 0;
          for (const values of rounds) {
            const { vectors, numbers } = await filter({ a: values });
            for (const [index, value] of values.entries()) {
              trained[index] = (trained[index] ?? 0) + value;
              sent[index] = (sent[index] ?? 0) + (vectors?.["a"]?.[index] ?? 0);
            }
            remainder = numbers["remainderNorm"] ?? 0;
          }

          const difference = norm(trained.map((value, index) => value - (sent[index] ?? 0)));
          // float32 sums of at most 12 numbers below 16
          expect(Math.abs(difference - remainder)).toBeLessThan(1e-4);
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  test("refuses an update of another shape in the same job", async () => {
    const filter = aFilter("int8", {});
    await filter({ a: [1, 2] });

    await expect(filter({ a: [1] })).rejects.toMatchObject(REFUSED);
  });
});

describe("top-k", () => {
  test("keeps the largest magnitudes of all parameters together", async () => {
    const { vectors, numbers } = await aFilter("top-k", { fraction: 0.5 })({ a: [-5, 1], b: [4, 0.5] });

    expect(vectors).toEqual({ a: [-5, 0], b: [4, 0] });
    expect(numbers).toEqual({ kept: 2, cutoff: 4 });
  });

  test("of equal magnitudes keeps the first ones, and never more than it may", async () => {
    const { vectors } = await aFilter("top-k", { fraction: 0.5 })({ a: [1, -1, 1, -1] });

    expect(vectors).toEqual({ a: [1, -1, 0, 0] });
  });

  test("keeps exactly what sorting would keep", async () => {
    await fc.assert(
      fc.asyncProperty(vector, fc.double({ min: 0.01, max: 1, noNaN: true }), async (values, fraction) => {
        const { vectors, numbers } = await aFilter("top-k", { fraction })({ a: values });
        const magnitudes = values.map(Math.abs).sort((left, right) => right - left);

        const kept = Math.ceil(fraction * values.length);
        expect(numbers["kept"]).toBe(kept);
        expect(numbers["cutoff"]).toBe(magnitudes[kept - 1]);
        const left = (vectors?.["a"] ?? []).map(Math.abs).sort((left, right) => right - left);
        expect(left.slice(0, kept)).toEqual(magnitudes.slice(0, kept));
        expect(left.slice(kept).every((value) => value === 0)).toBe(true);
      }),
      { seed: 4, numRuns: 200 },
    );
  });
});

describe("blocking kinds of data", () => {
  const block = (kinds: readonly string[]) =>
    filterRegistry().get("block-kinds")?.create({ kinds }, filterModules());

  test("metrics stay here, and are let by where they are not named", async () => {
    expect(await block(["metrics"])?.apply({ kind: "metrics" })).toEqual({
      data: undefined,
      numbers: { blocked: 1 },
    });
    expect(await block(["model"])?.apply({ kind: "metrics" })).toEqual({
      data: { kind: "metrics" },
      numbers: { blocked: 0 },
    });
  });

  test("an update that is blocked is refused", async () => {
    const filter = aFilter("block-kinds", { kinds: ["update"] });

    await expect(filter({ a: [1] })).rejects.toMatchObject(REFUSED);
  });
});

test.each([
  ["clip-norm", {}],
  ["clip-norm", { clippingNorm: 0 }],
  ["clip-norm", { clippingNorm: Number.POSITIVE_INFINITY }],
  ["clip-norm", { clippingNorm: 1, norm: 1 }],
  ["gaussian-noise", { clippingNorm: 1 }],
  ["gaussian-noise", { clippingNorm: 1, noiseMultiplier: 0 }],
  ["gaussian-noise", { clippingNorm: 1, noiseMultiplier: Number.NaN }],
  ["percentile", { percentile: 101, bound: 1 }],
  ["percentile", { percentile: 10, bound: -1 }],
  ["sparse-vector", { fraction: 2, epsilon: 1, threshold: 0, bound: 1 }],
  ["top-k", { fraction: 0 }],
  ["exclude-parameters", { parameters: [] }],
  ["exclude-parameters", { parameters: "head" }],
  ["allow-parameters", {}],
  ["block-kinds", { kinds: ["everything"] }],
  ["fp16", { bits: 8 }],
])("%s refuses the arguments %o", (name, args) => {
  expect(() => filterRegistry().get(name)?.create(args, filterModules())).toThrow();
});
