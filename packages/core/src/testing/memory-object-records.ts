import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { ObjectRecords } from "../envelope/index.ts";

/** Records of seen objects in memory: what a disk keeps, for as long as the test holds it. */
export function memoryObjectRecords(): ObjectRecords {
  const records = new Map<string, Bytes>();
  return {
    list: async () => [...records].map(([name, value]) => ({ name, value: Uint8Array.from(value) })),
    get: async (name) => {
      const value = records.get(name);
      return value === undefined ? undefined : Uint8Array.from(value);
    },
    async create(name, value) {
      if (records.has(name)) return false;
      records.set(name, Uint8Array.from(value));
      return true;
    },
    async replace(name, value, before) {
      const present = records.get(name);
      if (present === undefined || !equalBytes(present, before)) return false;
      records.set(name, Uint8Array.from(value));
      return true;
    },
    async delete(name) {
      records.delete(name);
    },
  };
}
