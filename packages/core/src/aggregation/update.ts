import type { Bytes } from "../bytes/index.ts";
import { AggregationError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type { AggregatorModules } from "./aggregator.ts";

/** Floats between two turns for other work: 1 MiB, below 1 ms in WebAssembly and below 5 ms in JavaScript. */
const BLOCK_FLOATS = 262_144;

/** A part of an update. */
export interface UpdateBlock {
  /** Index of its first float. */
  readonly start: number;
  /** View of the floats. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** The floats of packed f32 tensors, a view; padding between tensors is zero. @throws RangeError unless aligned to 4 */
export function floatsOf(update: Bytes): Float32Array<ArrayBuffer> {
  return new Float32Array(update.buffer, update.byteOffset, update.byteLength / 4);
}

/** Walks over `floats` in blocks and gives other work a turn between them. */
export async function* blocksOf(
  floats: Float32Array<ArrayBuffer>,
  clock: Clock,
): AsyncGenerator<UpdateBlock, void, void> {
  for (let start = 0; start < floats.length; start += BLOCK_FLOATS) {
    if (start > 0) await clock.yield();
    yield { start, values: floats.subarray(start, start + BLOCK_FLOATS) };
  }
}

/**
 * L2 norm of a packed f32 update.
 * @throws AggregationError `ERR_AGGREGATION_SHAPE` for another length than the layout's or bytes that are not aligned,
 *   `ERR_AGGREGATION_NOT_FINITE` when a value is NaN or infinite
 */
export async function measureUpdate(
  layout: TensorLayout,
  update: Bytes,
  { kernels, clock }: AggregatorModules,
): Promise<number> {
  if (update.byteLength !== layout.byteLength || update.byteOffset % 4 !== 0) {
    const problem = `expected ${layout.byteLength} aligned bytes, got ${update.byteLength}`;
    throw new AggregationError("ERR_AGGREGATION_SHAPE", problem);
  }
  let squares = 0;
  for await (const { start, values } of blocksOf(floatsOf(update), clock)) {
    squares += kernels.sumOfSquares(values);
    if (!Number.isFinite(squares)) throw notFinite(layout, start, values);
  }
  return Math.sqrt(squares);
}

/** Names the tensor: the slow search runs only when there is something to find. */
function notFinite(layout: TensorLayout, start: number, values: Float32Array): AggregationError {
  const at =
    4 *
    (start +
      Math.max(
        0,
        values.findIndex((value) => !Number.isFinite(value)),
      ));
  const name = layout.tensors.findLast(({ offset }) => offset <= at)?.name ?? "the update";
  return new AggregationError("ERR_AGGREGATION_NOT_FINITE", `${name} holds a value that is NaN or infinite`);
}
