import type { Bytes } from "../bytes/index.ts";
import { layoutOfParameters, type ParameterSet, type TensorLayout } from "../tensor/index.ts";
import type { StreamSink, StreamSource } from "./contract.ts";

/** A source over bytes in memory; hands out views. */
export function bytesSource(bytes: Bytes): StreamSource {
  return { read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/**
 * A source over the tensors of `parameters` as `packParameters` would lay them out, without building that one
 * string: a chunk inside one tensor is a view, one that spans several is put together when it is read.
 */
export function parametersSource(parameters: ParameterSet): {
  readonly source: StreamSource;
  readonly layout: TensorLayout;
} {
  const layout = layoutOfParameters(parameters);
  const pieces = layout.tensors.map(({ name, offset }) => ({
    offset,
    data: parameters.get(name)?.data ?? new Uint8Array(0),
  }));
  const read = (offset: number, length: number): Bytes => {
    const end = offset + length;
    const touched = pieces.filter((piece) => piece.offset < end && piece.offset + piece.data.length > offset);
    const [only] = touched;
    if (touched.length === 1 && only !== undefined && holds(only, offset, end)) {
      return only.data.subarray(offset - only.offset, end - only.offset);
    }
    const chunk = new Uint8Array(length); // padding between tensors is zero
    for (const piece of touched) {
      const from = Math.max(piece.offset, offset);
      const to = Math.min(piece.offset + piece.data.length, end);
      chunk.set(piece.data.subarray(from - piece.offset, to - piece.offset), from - offset);
    }
    return chunk;
  };
  return { source: { read }, layout };
}

function holds(piece: { readonly offset: number; readonly data: Bytes }, from: number, to: number): boolean {
  return piece.offset <= from && piece.offset + piece.data.length >= to;
}

/** A sink that puts the chunks together in memory. @param totalBytes allocated at once; check the manifest before */
export function bytesSink(totalBytes: number): { readonly sink: StreamSink; readonly bytes: Bytes } {
  const bytes = new Uint8Array(totalBytes);
  return { sink: { write: (offset, data) => bytes.set(data, offset) }, bytes };
}
