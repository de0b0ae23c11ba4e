/**
 * Bytes over an `ArrayBuffer` of their own kind, as WebCrypto and sockets take them.
 * Never a Node `Buffer` (whose `slice` does not copy): see {@link toBytes}.
 */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The same memory as plain {@link Bytes}: a Node `Buffer` becomes a `Uint8Array` view, and a view over
 * shared memory is copied, because WebCrypto refuses it.
 */
export function toBytes(source: ArrayBufferView | ArrayBufferLike): Bytes {
  const view = ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
  if (view.buffer instanceof ArrayBuffer) return view as Bytes; // the check is the proof
  return new Uint8Array(view);
}

/** One new array holding `parts` in order. */
export function concatBytes(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/**
 * True when both hold the same bytes. The time depends on the lengths only, never on the content, so
 * secrets may be compared with it.
 */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.byteLength !== right.byteLength) return false;
  let difference = 0;
  for (let index = 0; index < left.byteLength; index++) {
    difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  }
  return difference === 0;
}
