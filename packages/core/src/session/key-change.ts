import type { Bytes } from "../bytes/index.ts";
import type { Clock } from "../platform/index.ts";
import type { RecordSender } from "../wire/index.ts";

/** What a change of keys works with. */
export interface KeyChangeModules {
  readonly records: RecordSender;
  readonly clock: Clock;
}

/** Changes the key under which this side sends when it has carried enough or is old. */
export class KeyChange {
  readonly #modules: KeyChangeModules;
  readonly #ageMs: number;
  #sinceMs: number;

  /** @param ageMs oldest that a key may become */
  constructor(ageMs: number, modules: KeyChangeModules) {
    this.#ageMs = ageMs;
    this.#modules = modules;
    this.#sinceMs = modules.clock.now();
  }

  /** [W-84] REKEY as it goes on the wire, when it must go before a frame of so many inner bytes. */
  async before(innerBytes: number): Promise<Bytes | undefined> {
    const { records, clock } = this.#modules;
    const nowMs = clock.now();
    if (!records.isRekeyDue(innerBytes) && nowMs - this.#sinceMs < this.#ageMs) return undefined;
    this.#sinceMs = nowMs;
    return await records.rekey();
  }
}
