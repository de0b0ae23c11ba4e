import { readFile, stat } from "node:fs/promises";
import { HostError } from "@photinus/core/errors";
import {
  DocumentFault,
  MAX_DOCUMENT_BYTES,
  type PositionedDocument,
  readPositionedDocument,
} from "./positioned-document.ts";

/**
 * Reads a file of YAML that a person wrote. It may be a link: whoever runs the command reads with the own rights.
 * @throws DocumentFault; HostError `ERR_CONFIG_INVALID` when it cannot be read
 */
export async function readDocument(file: string): Promise<PositionedDocument> {
  return readPositionedDocument(file, await textOf(file));
}

async function textOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_DOCUMENT_BYTES) {
      throw new DocumentFault(`${file}:1:1`, `larger than ${MAX_DOCUMENT_BYTES} bytes`);
    }
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof DocumentFault) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${file} cannot be read`, { cause });
  }
}
