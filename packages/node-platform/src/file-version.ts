import { stat } from "node:fs/promises";

/** Tells one content of a file from the next without reading it; empty when there is no file. */
export async function fileVersion(file: string | undefined): Promise<string> {
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  return found === undefined ? "" : `${found.size} ${found.mtimeMs} ${found.ino}`;
}
