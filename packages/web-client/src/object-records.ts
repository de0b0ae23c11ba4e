import { equalBytes } from "@photinus/core/bytes";
import type { ObjectRecords } from "@photinus/core/envelope";
import type { IDBPDatabase } from "idb";
import type { BrowserDatabase } from "./browser-database.ts";

/**
 * What this browser has seen of one project under one root. Each change is one transaction, on the disk when it
 * resolves: another tab of this origin sees it, and of two that create a record one is told that it is there.
 */
export function objectsOf(
  database: IDBPDatabase<BrowserDatabase>,
  [project, rootFingerprint]: readonly [string, string],
): ObjectRecords {
  const write = () => database.transaction("objects", "readwrite", { durability: "strict" });
  const keyOf = (name: string): [string, string, string] => [project, rootFingerprint, name];
  return {
    async list() {
      const ofRoot = IDBKeyRange.bound(keyOf(""), keyOf("\uffff"));
      return (await database.getAll("objects", ofRoot)).map(({ name, value }) => ({ name, value }));
    },
    get: async (name) => (await database.get("objects", keyOf(name)))?.value,
    async create(name, value) {
      const transaction = write();
      const isFree = (await transaction.store.get(keyOf(name))) === undefined;
      if (isFree) await transaction.store.put({ project, rootFingerprint, name, value });
      await transaction.done;
      return isFree;
    },
    async replace(name, value, before) {
      const transaction = write();
      const present = await transaction.store.get(keyOf(name));
      const isBefore = present !== undefined && equalBytes(present.value, before);
      if (isBefore) await transaction.store.put({ project, rootFingerprint, name, value });
      await transaction.done;
      return isBefore;
    },
    async delete(name) {
      const transaction = write();
      await transaction.store.delete(keyOf(name));
      await transaction.done;
    },
  };
}
