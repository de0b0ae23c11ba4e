import { chainRecord } from "../audit/index.ts";
import type { AuditRecord, AuditStore, CryptoProvider } from "../platform/index.ts";

/** The audit role in memory: chained as on disk, one append after the other. */
export function memoryAudit(crypto: CryptoProvider): AuditStore {
  const records: AuditRecord[] = [];
  let lastAppend: Promise<unknown> = Promise.resolve();
  return {
    append(event) {
      const appended = lastAppend.then(async () => {
        const { record } = await chainRecord(crypto, records.at(-1), event);
        records.push(record);
        return record;
      });
      lastAppend = appended.catch(() => undefined); // the caller learns of it; the next append goes on
      return appended;
    },
    async *read(fromSequence = 1) {
      for (let index = fromSequence - 1; index < records.length; index++) {
        const record = records[index];
        if (record !== undefined) yield record;
      }
    },
    head: async () => records.at(-1),
  };
}
