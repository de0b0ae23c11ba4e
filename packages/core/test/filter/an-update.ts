import {
  type FilterData,
  type FilterModules,
  type FilterNumbers,
  filterRegistry,
} from "../../src/filter/index.ts";
import type { Random } from "../../src/platform/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { seededRandom } from "../../src/testing/index.ts";

const clock = { yield: () => Promise.resolve() };

/** Modules with noise that a test can repeat. */
export function filterModules(random: Random = seededRandom("noise")): FilterModules {
  return { clock, random };
}

/** An update of named vectors. */
export function anUpdate(vectors: Readonly<Record<string, readonly number[]>>): ParameterSet {
  return new ParameterSet(
    Object.entries(vectors).map(([name, values]) => [
      name,
      Tensor.f32([values.length], Float32Array.from(values)),
    ]),
  );
}

/** The numbers of data, by name. */
export function vectorsOf(data: FilterData | undefined): Record<string, number[]> | undefined {
  if (data === undefined || data.kind === "metrics") return undefined;
  return Object.fromEntries(data.parameters.entries().map(([name, { f32 }]) => [name, [...f32]]));
}

export interface Filtered {
  readonly vectors: Record<string, number[]> | undefined;
  readonly numbers: FilterNumbers;
}

/** A filter of the registry for one job. @returns what it makes of updates, one after another */
export function aFilter(
  name: string,
  args: object,
  modules = filterModules(),
): (vectors: Readonly<Record<string, readonly number[]>>) => Promise<Filtered> {
  const kind = filterRegistry().get(name);
  if (kind === undefined) throw new RangeError(`no filter ${name}`);
  const filter = kind.create(args, modules);
  return async (vectors) => {
    const { data, numbers } = await filter.apply({ kind: "update", parameters: anUpdate(vectors) });
    return { vectors: vectorsOf(data), numbers };
  };
}

/** Random bytes such that uniform numbers are, in turn, the nearest to these; then it begins anew. */
export function scriptedRandom(uniforms: readonly number[]): Random {
  return {
    bytes(length) {
      const bytes = new Uint8Array(length);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at + 8 <= length; at += 8) {
        const whole = Math.floor((uniforms[(at / 8) % uniforms.length] ?? 0.5) * 2 ** 52);
        view.setUint32(at, Math.floor(whole / 2 ** 32) << 12);
        view.setUint32(at + 4, whole % 2 ** 32);
      }
      return bytes;
    },
  };
}
