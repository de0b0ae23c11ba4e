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

  /** True when the key must be changed before a frame of so many inner bytes. */
  isDue(innerBytes: number): boolean {
    const { records, clock } = this.#modules;
    return records.isRekeyDue(innerBytes) || clock.now() - this.#sinceMs >= this.#ageMs;
  }

  /** [W-84] REKEY as it goes on the wire; what follows is under the next key. */
  rekey(): Promise<Bytes> {
    const { records, clock } = this.#modules;
    this.#sinceMs = clock.now();
    return records.rekey();
  }
}
