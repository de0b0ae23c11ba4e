/** Longest key of the metadata role, in characters. */
export const MAX_METADATA_KEY_LENGTH = 512;

/** Largest value of the metadata role, in bytes. */
export const MAX_METADATA_VALUE_BYTES = 1_048_576;

// Printable ASCII without space: every driver then sorts keys the same way, as UTF-8, UTF-16 or bytes.
const KEY = /^[\x21-\x7e]{1,512}$/;
const PREFIX = /^[\x21-\x7e]{0,512}$/;

/** @throws RangeError unless `key` is 1 to 512 printable ASCII characters without spaces */
export function requireMetadataKey(key: string): void {
  if (!KEY.test(key)) throw new RangeError("a metadata key is 1 to 512 printable ASCII characters");
}

/** @throws RangeError unless `prefix` is the beginning of possible keys; it may be empty */
export function requireMetadataPrefix(prefix: string): void {
  if (!PREFIX.test(prefix)) throw new RangeError("a key prefix is at most 512 printable ASCII characters");
}

/** @throws RangeError when `value` is larger than {@link MAX_METADATA_VALUE_BYTES} */
export function requireMetadataValue(value: Uint8Array): void {
  if (value.byteLength > MAX_METADATA_VALUE_BYTES) {
    throw new RangeError(`a metadata value has at most 1 MiB, got ${value.byteLength} bytes; use a blob`);
  }
}
