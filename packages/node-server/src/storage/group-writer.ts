import { setImmediate as nextTurn } from "node:timers/promises";
import { StorageError } from "@photinus/core/errors";
import PQueue from "p-queue";
import type { Row } from "./columns.ts";
import type { Database, Statement } from "./database.ts";

/** Most writes that one commit carries. */
const GROUP_SIZE = 128;

/** Turns of the event loop that a write waits for others at most, while each turn brings more of them. */
const MAX_TURNS = 4;

/** One write as its store describes it. */
export interface Write<T> {
  /** The statements, made when the turn of the write has come. @throws what the caller of `submit` gets */
  readonly prepare: () => Promise<readonly Statement[]> | readonly Statement[];
  /** What the results of the statements mean; the commit is durable by then. @throws what the caller gets */
  readonly conclude: (results: readonly (readonly Row[])[]) => T;
  /** The commit failed after `prepare`: nothing of it took effect. */
  readonly abandon?: () => void;
}

/** A write that waits, with what its caller hears. */
interface PendingWrite {
  readonly prepare: () => Promise<readonly Statement[]> | readonly Statement[];
  readonly settle: (results: readonly (readonly Row[])[]) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * The only writer of a database: one transaction at a time, since the driver refuses a second one, and all writes of
 * one turn of the event loop in one commit, since every commit waits for the disk. Where a turn brings further writes, as
 * when thousands log in, the commit waits one more for those that it brings; a write that is alone never waits.
 */
export class GroupWriter {
  readonly #database: Database;
  readonly #queue: PQueue = new PQueue({ concurrency: 1 });
  readonly #pending: PendingWrite[] = [];
  #isScheduled = false;
  #isClosed = false;

  /** Writes to `database`. */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves when the write is on disk. @throws StorageError `ERR_STORAGE_UNAVAILABLE`, and what the write throws */
  submit<T>(write: Write<T>): Promise<T> {
    if (this.#isClosed)
      return Promise.reject(new StorageError("ERR_STORAGE_UNAVAILABLE", "the storage is closed"));
    return new Promise((resolve, reject) => {
      this.#pending.push({
        prepare: write.prepare,
        settle: (results) => settleWith(() => write.conclude(results), { resolve, reject }),
        fail: (error) => {
          write.abandon?.();
          reject(error);
        },
      });
      this.#schedule();
    });
  }

  /** Refuses further writes and resolves when those that wait are done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue.onIdle();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void this.#queue.add(() => this.#commitGroup()); // never rejects: each write hears of its own failure
  }

  async #commitGroup(): Promise<void> {
    await this.#gather();
    const group = this.#pending.splice(0, GROUP_SIZE);
    this.#isScheduled = false;
    if (this.#pending.length > 0) this.#schedule();
    const prepared = await this.#prepare(group);
    try {
      const results = this.#database.commit(prepared.flatMap(({ statements }) => statements));
      let next = 0;
      for (const { write, statements } of prepared) {
        write.settle(results.slice(next, next + statements.length));
        next += statements.length;
      }
    } catch (error) {
      for (const { write } of prepared) write.fail(error);
    }
  }

  async #gather(): Promise<void> {
    let before = 0;
    for (let turn = 0; turn < MAX_TURNS && this.#pending.length > before; turn++) {
      if (turn > 0 && this.#pending.length >= GROUP_SIZE) return;
      before = this.#pending.length;
      await nextTurn();
    }
  }

  async #prepare(group: readonly PendingWrite[]): Promise<readonly PreparedWrite[]> {
    const prepared: PreparedWrite[] = [];
    for (const write of group) {
      try {
        prepared.push({ write, statements: await write.prepare() });
      } catch (error) {
        write.fail(error);
      }
    }
    return prepared;
  }
}

interface PreparedWrite {
  readonly write: PendingWrite;
  readonly statements: readonly Statement[];
}

function settleWith<T>(
  conclude: () => T,
  { resolve, reject }: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void },
): void {
  try {
    resolve(conclude());
  } catch (error) {
    reject(error);
  }
}
