import type { Bytes } from "@photinus/core/bytes";
import {
  layoutOfParameters,
  type ParameterSet,
  packParameters,
  type TensorLayout,
  unpackParameters,
} from "@photinus/core/tensor";

/** A ParameterSet on its way between threads: one block of memory that moves, and the table of what lies in it. */
export interface Parcel {
  /** Where each tensor lies. */
  readonly layout: TensorLayout;
  /** The tensors. */
  readonly bytes: Bytes;
}

/** Packs a copy: the caller keeps its tensors. */
export function packCopy(parameters: ParameterSet): Parcel {
  return { layout: layoutOfParameters(parameters), bytes: packParameters(parameters) };
}

/**
 * Packs `parameters` without a copy where they already lie in one block of their own; the caller must not use them
 * any more.
 */
export function packOwned(parameters: ParameterSet): Parcel {
  const layout = layoutOfParameters(parameters);
  const buffer = parameters.entries()[0]?.[1].data.buffer;
  const together = layout.tensors.every(({ name, offset }) => {
    const data = parameters.get(name)?.data;
    return data?.buffer === buffer && data?.byteOffset === offset;
  });
  if (buffer === undefined || !together || buffer.byteLength !== layout.byteLength)
    return packCopy(parameters);
  return { layout, bytes: new Uint8Array(buffer) };
}

/** The tensors of a parcel: views of its memory. @throws RangeError when table and memory do not agree */
export function unpack({ layout, bytes }: Parcel): ParameterSet {
  return unpackParameters(layout, bytes);
}

/** The memory of a parcel, which moves with it. */
export function memoryOf({ bytes }: Parcel): readonly ArrayBuffer[] {
  return [bytes.buffer];
}
