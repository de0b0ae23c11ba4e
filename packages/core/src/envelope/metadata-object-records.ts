import { equalBytes } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import type { ObjectRecords } from "./lasting-objects.ts";

const PREFIX = "orders/";

/** Records of seen objects in the metadata of a server: all its processes remember the same. */
export function metadataObjectRecords(metadata: MetadataStore): ObjectRecords {
  return {
    async list() {
      const entries = await metadata.list(PREFIX);
      return entries.map(({ key, value }) => ({ name: key.slice(PREFIX.length), value }));
    },
    get: async (name) => (await metadata.get(PREFIX + name))?.value,
    create: (name, value) => unlessBeaten(() => metadata.create(PREFIX + name, value)),
    async replace(name, value, before) {
      const present = await metadata.get(PREFIX + name);
      if (present === undefined || !equalBytes(present.value, before)) return false;
      return await unlessBeaten(() => metadata.put(PREFIX + name, value, present.revision));
    },
    delete: (name) => metadata.delete(PREFIX + name),
  };
}

async function unlessBeaten(change: () => Promise<unknown>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    const isBeaten =
      error instanceof StorageError &&
      (error.code === "ERR_STORAGE_EXISTS" || error.code === "ERR_STORAGE_CONFLICT");
    if (isBeaten) return false;
    throw error;
  }
}
