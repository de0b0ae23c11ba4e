import { type Bytes, equalBytes } from "@photinus/core/bytes";
import type { ObjectRecords } from "@photinus/core/envelope";
import type { DBSchema, IDBPDatabase } from "idb";

/** A record of what this browser has seen, of one project under one root. */
interface StoredRecord {
  readonly project: string;
  readonly rootFingerprint: string;
  readonly name: string;
  readonly value: Bytes;
}

/** The table of such records. */
export interface ObjectSchema extends DBSchema {
  /** By project, root and name. */
  objects: { key: [string, string, string]; value: StoredRecord };
}

/**
 * What this browser has seen of one project under one root. Each change is one transaction, on the disk when it
 * resolves: another tab of this origin sees it, and of two that create a record one is told that it is there.
 */
export function objectsOf<Schema extends ObjectSchema>(
  database: IDBPDatabase<Schema>,
  [project, rootFingerprint]: readonly [string, string],
): ObjectRecords {
  // Of the schema only the one table is touched here, which every schema above has.
  const table = database as unknown as IDBPDatabase<ObjectSchema>;
  const write = () => table.transaction("objects", "readwrite", { durability: "strict" });
  const keyOf = (name: string): [string, string, string] => [project, rootFingerprint, name];
  return {
    async list() {
      const ofRoot = IDBKeyRange.bound(keyOf(""), keyOf("\uffff"));
      return (await table.getAll("objects", ofRoot)).map(({ name, value }) => ({ name, value }));
    },
    get: async (name) => (await table.get("objects", keyOf(name)))?.value,
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
