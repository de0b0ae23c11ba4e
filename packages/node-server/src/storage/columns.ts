import { type Bytes, toBytes } from "@photinus/core/bytes";
import { StorageError } from "@photinus/core/errors";

/** A row as the driver reads it: values by the name of their column, of whatever type they are. */
export type Row = Readonly<Record<string, unknown>>;

/** A column of bytes. @throws StorageError `ERR_STORAGE_CORRUPT` when it holds something else */
export function bytesColumn(row: Row, name: string): Bytes {
  const value = row[name];
  if (!(value instanceof ArrayBuffer)) throw unexpected(name);
  return toBytes(value);
}

/** A column of a safe integer. @throws StorageError `ERR_STORAGE_CORRUPT` when it holds something else */
export function integerColumn(row: Row, name: string): number {
  const value = row[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw unexpected(name);
  return value;
}

/** A column of text. @throws StorageError `ERR_STORAGE_CORRUPT` when it holds something else */
export function textColumn(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== "string") throw unexpected(name);
  return value;
}

function unexpected(name: string): StorageError {
  return new StorageError("ERR_STORAGE_CORRUPT", `column ${name} holds another type than was written`);
}
