import type { Bytes } from "../bytes/index.ts";
import type { RecordSender } from "../wire/index.ts";

/** Changes the key under which this side sends when it has carried enough or is old. */
export class KeyChange {
  readonly #records: RecordSender;
  readonly #ageMs: number;
  #sinceMs: number;

  /** @param ageMs oldest that a key may become */
  constructor(records: RecordSender, ageMs: number, nowMs: number) {
    this.#records = records;
    this.#ageMs = ageMs;
    this.#sinceMs = nowMs;
  }

  /** True when the key must be changed before a frame of so many inner bytes. */
  isDue(innerBytes: number, nowMs: number): boolean {
    return this.#records.isRekeyDue(innerBytes) || nowMs - this.#sinceMs >= this.#ageMs;
  }

  /** [W-84] REKEY as it goes on the wire; what follows is under the next key. */
  rekey(nowMs: number): Promise<Bytes> {
    this.#sinceMs = nowMs;
    return this.#records.rekey();
  }
}
