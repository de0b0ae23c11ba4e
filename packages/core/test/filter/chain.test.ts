import * as v from "valibot";
import { describe, expect, test } from "vitest";
import {
  defineFilter,
  FilterChain,
  type FilterChainOptions,
  type FilterData,
  filterRegistry,
} from "../../src/filter/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { anUpdate, filterModules, vectorsOf } from "./an-update.ts";

const REFUSED = { code: "ERR_FILTER_REFUSED" };
const registry = filterRegistry();

function aChain(options: Partial<FilterChainOptions>, kinds = registry): FilterChain {
  const given = { point: "site-result", own: [], job: [], ...options } as const;
  return new FilterChain(given, { ...filterModules(), registry: kinds });
}

const update = (values: readonly number[]): FilterData => ({
  kind: "update",
  parameters: anUpdate({ a: values }),
});
const clip = (clippingNorm: number) => ({ name: "clip-norm", args: { clippingNorm } });
const half = { name: "fp16", args: {} };

describe("a chain of filters", () => {
  test("runs the site's filters before the job's, each list in its order, and says what each did", async () => {
    const chain = aChain({ own: [clip(1), half], job: [clip(0.5)] });

    const { data, applied } = await chain.apply(update([3, 4]));

    expect(applied.map(({ name, origin, kind }) => `${origin} ${name} ${kind}`)).toEqual([
      "own clip-norm update",
      "own fp16 update",
      "job clip-norm update",
    ]);
    expect(applied[2]?.numbers["norm"]).toBeCloseTo(1, 2);
    expect(vectorsOf(data)?.["a"]?.[0]).toBeCloseTo(0.3, 3);
  });

  test("metrics pass filters of tensors unchanged, until one of them blocks metrics", async () => {
    const block = { name: "block-kinds", args: { kinds: ["metrics"] } };

    expect(await aChain({ own: [clip(1)] }).apply({ kind: "metrics" })).toEqual({
      data: { kind: "metrics" },
      applied: [],
    });
    const blocked = await aChain({ own: [clip(1), block], job: [half] }).apply({ kind: "metrics" });
    expect(blocked.data).toBeUndefined();
    expect(blocked.applied.map(({ name }) => name)).toEqual(["block-kinds"]);
  });

  test("a filter that meets a kind of data which it does not know refuses it", async () => {
    const chain = aChain({ point: "site-data", own: [clip(1)] });

    await expect(chain.apply({ kind: "model", parameters: anUpdate({ a: [1] }) })).rejects.toMatchObject(
      REFUSED,
    );
  });

  test("numbers that are not finite, or not float32, meet no filter", async () => {
    const wide = new ParameterSet([["a", new Tensor("f64", [1], new Uint8Array(8))]]);

    await expect(aChain({ own: [half] }).apply(update([1, Number.NaN]))).rejects.toMatchObject(REFUSED);
    await expect(aChain({ own: [half] }).apply({ kind: "update", parameters: wide })).rejects.toMatchObject(
      REFUSED,
    );
  });

  test("a chain without filters lets everything by", async () => {
    const data = update([1, Number.NaN]);

    expect(await aChain({}).apply(data)).toEqual({ data, applied: [] });
  });

  test("a name that is not registered, and arguments that are not valid, make no chain", () => {
    expect(() => aChain({ job: [{ name: "shuffle", args: {} }] })).toThrow(expect.objectContaining(REFUSED));
    expect(() => aChain({ job: [clip(-1)] })).toThrow(expect.objectContaining(REFUSED));
  });

  test("a site's own filter can be registered, and one that changes names or shapes is refused", async () => {
    const own = defineFilter({
      name: "rename",
      understands: ["update"],
      schema: v.strictObject({}),
      create: () => () =>
        Promise.resolve({
          data: { kind: "update" as const, parameters: anUpdate({ b: [1] }) },
          numbers: {},
        }),
    });
    const chain = aChain({ own: [{ name: "rename", args: {} }] }, filterRegistry([own]));

    await expect(chain.apply(update([1]))).rejects.toMatchObject(REFUSED);
    await expect(chain.apply({ kind: "metrics" })).rejects.toMatchObject(REFUSED);
  });

  test("tells what each release through it costs", () => {
    const noise = { name: "gaussian-noise", args: { clippingNorm: 1, noiseMultiplier: 2 } };

    expect(aChain({ own: [clip(1), noise] }).mechanisms).toEqual([
      { kind: "gaussian", noiseMultiplier: 2, samplingRate: 1 },
    ]);
    expect(aChain({ own: [clip(1)] }).mechanisms).toEqual([]);
  });
});
