import type { Clock } from "../../platform/index.ts";
import { ParameterSet, Tensor } from "../../tensor/index.ts";

/** Elements between two turns for other work. */
const BLOCK_ELEMENTS = 262_144;

/** The tensors of `first`, number by number with those of the same names in `second`, in float32. */
export async function combined(
  [first, second]: readonly [ParameterSet, ParameterSet],
  act: (a: number, b: number) => number,
  clock: Pick<Clock, "yield">,
): Promise<ParameterSet> {
  const entries: [string, Tensor][] = [];
  for (const [name, tensor] of first) {
    const [a, b] = [tensor.f32, second.get(name)?.f32];
    if (b?.length !== a.length) throw new RangeError(`no parameter ${name} of this length`);
    const result = new Float32Array(a.length);
    for (let index = 0; index < a.length; index++) {
      if (index % BLOCK_ELEMENTS === 0 && index > 0) await clock.yield();
      result[index] = act(a[index] ?? 0, b[index] ?? 0);
    }
    entries.push([name, Tensor.f32(tensor.shape, result)]);
  }
  return new ParameterSet(entries);
}

/** The tensors of these names, in their order. @throws RangeError when one is missing */
export function picked(parameters: ParameterSet, names: readonly string[]): ParameterSet {
  return new ParameterSet(
    names.map((name) => {
      const tensor = parameters.get(name);
      if (tensor === undefined) throw new RangeError(`no parameter ${name}`);
      return [name, tensor] as const;
    }),
  );
}

/** All tensors of `parameters`, those that `changes` has from there. */
export function replaced(parameters: ParameterSet, changes: ParameterSet): ParameterSet {
  return new ParameterSet(
    parameters.entries().map(([name, tensor]) => [name, changes.get(name) ?? tensor] as const),
  );
}
