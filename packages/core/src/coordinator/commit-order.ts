import * as v from "valibot";
import { decodeRecord, encodeRecord } from "../job/index.ts";
import type { MetadataStore } from "../platform/index.ts";

const OrderSchema = v.pipe(v.array(v.pipe(v.string(), v.maxLength(63))), v.maxLength(10_000));

/**
 * The order in which the updates of a task were added. Float sums depend on their order; after a crash in the middle
 * of a round the same sites are asked again and added in the recorded order first, so that the resumed round gives
 * the same bits.
 */
export class CommitOrder {
  readonly #metadata: MetadataStore;
  readonly #key: string;
  /** As recorded before this process began with the task. */
  readonly #recorded: readonly string[];
  readonly #committed: string[] = [];
  /** Sites that will not be added, or were. */
  readonly #settled = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #write: Promise<void> = Promise.resolve();

  private constructor(metadata: MetadataStore, key: string, recorded: readonly string[]) {
    this.#metadata = metadata;
    this.#key = key;
    this.#recorded = recorded;
  }

  /** The order of one task, with what an earlier process recorded of it. */
  static async open(metadata: MetadataStore, jobId: string, taskId: string): Promise<CommitOrder> {
    const key = `commit-order/${jobId}/${taskId}`;
    const entry = await metadata.get(key);
    const recorded = entry === undefined ? [] : decodeRecord(OrderSchema, entry.value, key);
    return new CommitOrder(metadata, key, recorded);
  }

  /** Resolves when every site recorded before `site` has settled. @throws the signal's reason */
  turnOf(site: string, signal: AbortSignal): Promise<void> {
    const position = this.#recorded.indexOf(site);
    const before = position < 0 ? this.#recorded : this.#recorded.slice(0, position);
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (signal.aborted) reject(signal.reason);
        else if (before.every((other) => this.#settled.has(other))) resolve();
        else return;
        this.#waiting.delete(check);
        signal.removeEventListener("abort", check);
      };
      this.#waiting.add(check);
      signal.addEventListener("abort", check, { once: true });
      check();
    });
  }

  /** The site's update was added now; recorded in the background, see {@link flushed}. */
  commit(site: string): void {
    this.#committed.push(site);
    const order = encodeRecord(this.#committed);
    this.#write = this.#write.then(async () => {
      await this.#metadata.put(this.#key, order);
    });
    this.#write.catch(() => undefined); // flushed() tells
  }

  /** The site has been added, or will not be: whoever waited for it may go on. */
  settle(site: string): void {
    this.#settled.add(site);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when everything is recorded. @throws StorageError when it could not be */
  flushed(): Promise<void> {
    return this.#write;
  }

  /** Forgets the order of a task that is over. */
  async clear(): Promise<void> {
    await this.#metadata.delete(this.#key);
  }

  /** Forgets every order of a job that has ended. */
  static async clearAll(metadata: MetadataStore, jobId: string): Promise<void> {
    for (const { key } of await metadata.list(`commit-order/${jobId}/`)) await metadata.delete(key);
  }
}
