import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";

/** A record of the metadata role: JSON, so that an operator can read it. */
export function encodeRecord(value: unknown): Bytes {
  return utf8(JSON.stringify(value));
}

/**
 * A stored record as `schema` proves it.
 * @throws StorageError `ERR_STORAGE_CORRUPT` naming `key`
 */
export function decodeRecord<T>(schema: v.GenericSchema<unknown, T>, value: Bytes, key: string): T {
  const result = v.safeParse(schema, parseJson(value, key), { abortEarly: true });
  if (result.success) return result.output;
  const path = v.getDotPath(result.issues[0]) ?? "record";
  throw new StorageError("ERR_STORAGE_CORRUPT", `${key}: ${path} is not what was stored`);
}

function parseJson(value: Bytes, key: string): unknown {
  try {
    return JSON.parse(fromUtf8(value));
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_CORRUPT", `${key} is no JSON`, { cause });
  }
}
