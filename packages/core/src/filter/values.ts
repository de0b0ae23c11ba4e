import { FilterError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import { ParameterSet, squaresOf, Tensor } from "../tensor/index.ts";
import type { FilterData } from "./filter.ts";

/** Elements between two turns for other work. */
const BLOCK_ELEMENTS = 16_384;

/** Some consecutive values of a parameter. */
export interface Block {
  /** Name of the parameter. */
  readonly name: string;
  /** Not to be changed. */
  readonly values: Float32Array;
  /** Index of the first of them among all values of all parameters. */
  readonly start: number;
}

/** The tensors of data that has some. @throws FilterError `ERR_FILTER_REFUSED` */
export function tensorsOf(data: FilterData, filter: string): ParameterSet {
  if (data.kind === "metrics") throw refused(filter, "metrics are no tensors");
  return data.parameters;
}

/** A refusal of data that a filter does not fit. */
export function refused(filter: string, detail: string): FilterError {
  return new FilterError("ERR_FILTER_REFUSED", `filter ${filter}: ${detail}`);
}

/** Number of values of all parameters. */
export function valueCount(parameters: ParameterSet): number {
  return parameters.byteLength / Float32Array.BYTES_PER_ELEMENT;
}

/** Goes through all values in their order. */
export async function eachBlock(
  parameters: ParameterSet,
  clock: Pick<Clock, "yield">,
  visit: (block: Block) => void,
): Promise<void> {
  let start = 0;
  for (const [name, tensor] of parameters) {
    const all = tensor.f32;
    for (let from = 0; from < all.length; from += BLOCK_ELEMENTS) {
      const values = all.subarray(from, from + BLOCK_ELEMENTS);
      visit({ name, values, start });
      start += values.length;
      await clock.yield();
    }
  }
}

/** What becomes of a value: its index is that among all values of all parameters. */
export type ChangeValue = (value: number, index: number, name: string) => number;

/** Parameters of the same names and shapes, each value changed. */
export async function mapValues(
  parameters: ParameterSet,
  clock: Pick<Clock, "yield">,
  change: ChangeValue,
): Promise<ParameterSet> {
  const changed = new Float32Array(valueCount(parameters));
  await eachBlock(parameters, clock, ({ name, values, start }) => {
    for (let index = 0; index < values.length; index++) {
      changed[start + index] = change(values[index] ?? 0, start + index, name);
    }
  });
  return likeParameters(parameters, changed);
}

/** Parameters of the same names and shapes over these values. @param values kept */
export function likeParameters(parameters: ParameterSet, values: Float32Array): ParameterSet {
  let start = 0;
  return new ParameterSet(
    parameters.entries().map(([name, { shape, data }]) => {
      const end = start + data.byteLength / Float32Array.BYTES_PER_ELEMENT;
      const tensor = Tensor.f32(shape, values.subarray(start, end));
      start = end;
      return [name, tensor];
    }),
  );
}

/** The L2 norm over all parameters, in float64. */
export async function normOf(parameters: ParameterSet, clock: Pick<Clock, "yield">): Promise<number> {
  let squares = 0;
  await eachBlock(parameters, clock, ({ values }) => {
    squares += squaresOf(values);
  });
  return Math.sqrt(squares);
}
