import { lstat } from "node:fs/promises";
import { fromUtf8 } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { readSmallFile } from "@photinus/node-platform";
import {
  DocumentFault,
  MAX_DOCUMENT_BYTES,
  type PositionedDocument,
  readPositionedDocument,
} from "./yaml/positioned-document.ts";

/** A file of JSON, and where in it each value stands. */
export interface LocatedFile {
  /** What it holds; not looked at yet. */
  readonly value: unknown;
  /** `file:line:column` of a value, or of the nearest one around it that is there. A key that is there counts as its value. */
  readonly locate: (path: readonly (string | number)[]) => string;
  /** The same for a check by a schema. */
  readonly document: PositionedDocument;
}

/**
 * Reads a file of JSON.
 * @param path not followed when it is a link
 * @throws HostError `ERR_CONFIG_INVALID` with the place of the fault when it is no JSON, or names a key twice
 */
export async function readLocatedJson(path: string): Promise<LocatedFile> {
  const text = fromUtf8(await readSmallFile(path, MAX_DOCUMENT_BYTES));
  try {
    // JSON is a part of YAML, whose reader knows positions; what only YAML has is refused by JSON's own reader.
    const document = readPositionedDocument(path, text);
    const value = parsed(text, path);
    return { value, locate: (keys) => document.at(keys, "key"), document: { ...document, value } };
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${cause.position} ${cause.message}`, { cause });
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HostError("ERR_CONFIG_INVALID", `${path}:1:1 this is not JSON`, { cause });
  }
}

/** Only a file that is not there is none: one that cannot be read is a fault, or security would end with a mode bit. */
export async function isAbsent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}
