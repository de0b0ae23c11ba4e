import { join } from "node:path";
import { MAX_SPENDING_BYTES, type SpendingStore } from "@photinus/core/accounting";
import { StorageError } from "@photinus/core/errors";
import { readSmallFile, replaceFile } from "@photinus/node-platform";

/**
 * Keeps what was spent of privacy budgets as files of a folder, one a scope, which is made with the first of them. A file
 * changes as a whole, and is on the disk when the call resolves. What cannot be read fails: then nothing may leave.
 *
 * @param folder of one site
 */
export function spendingFolder(folder: string): SpendingStore {
  return {
    async read(scope) {
      try {
        return await readSmallFile(fileOf(folder, scope), MAX_SPENDING_BYTES);
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw new StorageError("ERR_STORAGE_CORRUPT", `what scope ${scope} has spent cannot be read`, {
          cause,
        });
      }
    },
    async write(scope, spending) {
      try {
        await replaceFile(fileOf(folder, scope), spending);
      } catch (cause) {
        throw new StorageError("ERR_STORAGE_UNAVAILABLE", `what scope ${scope} has spent cannot be written`, {
          cause,
        });
      }
    },
  };
}

/** Names of scopes differ in case, and names of files may not. */
function fileOf(folder: string, scope: string): string {
  return join(folder, `${Buffer.from(scope).toString("hex")}.json`);
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
