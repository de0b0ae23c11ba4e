import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeRevocationRecord, encodeRevocationRecord, type RevocationStore } from "@photinus/core/pki";
import { readSmallFile, replaceFile } from "./small-file.ts";

const ENDING = ".der";
/** A list, a certificate and their frame. */
const MAX_RECORD_BYTES = 49_152;

/**
 * Keeps the newest revocation lists of one process as files of a folder, which is made with the first of them.
 * @param folder of this process alone
 */
export function revocationFolder(folder: string): RevocationStore {
  const read = async (name: string): Promise<ReturnType<typeof decodeRevocationRecord>> =>
    decodeRevocationRecord(await readSmallFile(join(folder, name), MAX_RECORD_BYTES));
  const names = async (): Promise<readonly string[]> => {
    const all = await readdir(folder).catch((error: unknown) => {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
      throw error;
    });
    return all.filter((name) => name.endsWith(ENDING) && !name.startsWith("."));
  };
  return {
    load: async () => await Promise.all((await names()).map(read)),
    async save(record) {
      const name = `${record.name}${ENDING}`;
      const present = (await names()).includes(name) ? await read(name) : undefined;
      if (present !== undefined && present.number >= record.number) return false;
      await replaceFile(join(folder, name), encodeRevocationRecord(record));
      return true;
    },
  };
}
