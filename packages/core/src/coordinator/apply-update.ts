import type { Bytes } from "../bytes/index.ts";
import type { Clock } from "../platform/index.ts";
import { elementCount, type TensorLayout } from "../tensor/index.ts";

/** Elements between two turns for other work. */
const BLOCK_ELEMENTS = 262_144;

/**
 * w ← w + Δ, in place: adds the packed update to the tensors of the packed model that have its names.
 * Both layouts are of one parameter table; trainable tensors are f32.
 */
export async function applyUpdate(
  model: { readonly bytes: Bytes; readonly layout: TensorLayout },
  update: { readonly bytes: Bytes; readonly layout: TensorLayout },
  clock: Clock,
): Promise<void> {
  const places = new Map(model.layout.tensors.map(({ name, offset }) => [name, offset]));
  for (const { name, offset, shape } of update.layout.tensors) {
    const place = places.get(name);
    if (place === undefined) throw new RangeError(`the model has no tensor ${name}`);
    const count = elementCount(shape);
    const weights = new Float32Array(model.bytes.buffer, model.bytes.byteOffset + place, count);
    const deltas = new Float32Array(update.bytes.buffer, update.bytes.byteOffset + offset, count);
    for (let index = 0; index < count; index++) {
      if (index % BLOCK_ELEMENTS === 0 && index > 0) await clock.yield();
      weights[index] = (weights[index] ?? 0) + (deltas[index] ?? 0);
    }
  }
}
