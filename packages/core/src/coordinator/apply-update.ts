import type { Bytes } from "../bytes/index.ts";
import type { BlobSegment } from "../job/index.ts";
import { elementCount, type TensorLayout } from "../tensor/index.ts";

/** A packed model in memory. */
export interface PackedModel {
  /** Changed in place. */
  readonly bytes: Bytes;
  readonly layout: TensorLayout;
}

/** A packed update as it is read from storage. */
export interface StoredSegments {
  /** In order, without gaps; each begins at a multiple of 4 bytes. */
  readonly segments: AsyncIterable<BlobSegment> | Iterable<BlobSegment>;
  readonly layout: TensorLayout;
}

/** Where a tensor lies in update and model, in bytes. */
interface Place {
  readonly from: number;
  readonly to: number;
  readonly modelOffset: number;
}

/**
 * w ← w + Δ: adds a stored update to the tensors of the model that have its names, segment by segment, so that the
 * update is never in memory as a whole. Both layouts are of one parameter table; the tensors of an update are f32.
 */
export async function applyUpdate(model: PackedModel, update: StoredSegments): Promise<void> {
  const offsets = new Map(model.layout.tensors.map(({ name, offset }) => [name, offset]));
  const places = update.layout.tensors.map(({ name, offset, shape }): Place => {
    const modelOffset = offsets.get(name);
    if (modelOffset === undefined) throw new RangeError(`the model has no tensor ${name}`);
    return { from: offset, to: offset + 4 * elementCount(shape), modelOffset };
  });
  for await (const segment of update.segments) {
    for (const place of places) addOverlap(model.bytes, place, segment);
  }
}

/** Adds what a segment holds of one tensor. */
function addOverlap(model: Bytes, { from, to, modelOffset }: Place, { offset, bytes }: BlobSegment): void {
  const start = Math.max(from, offset);
  const end = Math.min(to, offset + bytes.byteLength);
  if (start >= end) return;
  const deltas = floatsOf(bytes.subarray(start - offset, end - offset));
  const weights = floatsOf(model.subarray(modelOffset + start - from, modelOffset + end - from));
  for (let index = 0; index < weights.length; index++) {
    weights[index] = (weights[index] ?? 0) + (deltas[index] ?? 0);
  }
}

/** A view where the memory is aligned; else a copy, which only a segment may be: the model lies in aligned memory. */
function floatsOf(bytes: Bytes): Float32Array<ArrayBuffer> {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
