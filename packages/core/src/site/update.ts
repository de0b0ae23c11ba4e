import type { Bytes } from "../bytes/index.ts";
import { TrainingError } from "../errors/index.ts";
import type { Clock } from "../platform/index.ts";
import {
  type ParameterSet,
  squaresOf,
  type Tensor,
  type TensorLayout,
  unpackParameters,
} from "../tensor/index.ts";
import type { OutgoingTensor } from "./status.ts";

/** Elements between two turns for other work. */
const BLOCK_ELEMENTS = 262_144;

/** The tensors of a model that the server sent. @throws TrainingError `ERR_MODEL_PARAMETERS` for another length than the layout's */
export function tensorsIn(bytes: Bytes, layout: TensorLayout): ParameterSet {
  if (bytes.byteLength === layout.byteLength) return unpackParameters(layout, bytes);
  throw new TrainingError("ERR_MODEL_PARAMETERS", `a model of ${bytes.byteLength} bytes`);
}

/** An update as it leaves: what people are shown of it, and its norm. */
export interface UpdateDescription {
  readonly tensors: readonly OutgoingTensor[];
  /** L2 norm over all tensors. */
  readonly norm: number;
}

/**
 * Checks that an update is what the job's parameter table says, and measures it.
 * @throws TrainingError `ERR_MODEL_PARAMETERS` when names, dtypes or shapes differ, `ERR_TRAINING_NOT_FINITE`
 */
export async function describeUpdate(
  update: ParameterSet,
  layout: TensorLayout,
  clock: Clock,
): Promise<UpdateDescription> {
  if (update.size !== layout.tensors.length) throw notTheTable(`${update.size} tensors`);
  const tensors: OutgoingTensor[] = [];
  let squares = 0;
  for (const { name, dtype, shape } of layout.tensors) {
    const tensor = update.get(name);
    if (tensor?.dtype !== dtype || tensor.shape.join() !== shape.join()) throw notTheTable(`tensor ${name}`);
    const sum = await sumOfSquares(tensor, clock);
    if (!Number.isFinite(sum)) {
      throw new TrainingError("ERR_TRAINING_NOT_FINITE", `tensor ${name} of the update is not finite`);
    }
    squares += sum;
    tensors.push({ name, dtype, shape, norm: Math.sqrt(sum) });
  }
  return { tensors, norm: Math.sqrt(squares) };
}

async function sumOfSquares(tensor: Tensor, clock: Clock): Promise<number> {
  const values = tensor.f32;
  let squares = 0;
  for (let start = 0; start < values.length; start += BLOCK_ELEMENTS) {
    if (start > 0) await clock.yield();
    squares += squaresOf(values.subarray(start, start + BLOCK_ELEMENTS));
  }
  return squares;
}

function notTheTable(what: string): TrainingError {
  return new TrainingError("ERR_MODEL_PARAMETERS", `the update is not of the job's parameter table: ${what}`);
}
