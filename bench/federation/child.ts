import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { SOURCE_CONDITION } from "./compile.ts";
import type { ChildMessage, ParentMessage } from "./serve-parent.ts";

/** How a child is started. */
export interface ChildOptions {
  /** File beside this one. */
  readonly file: string;
  /** Flags of Node beside those of this process. */
  readonly flags?: readonly string[];
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Time that a child gets to end by itself, in ms. */
const STOP_MS = 10_000;

/** A process of a benchmark, asked over IPC: its CPU time and memory are its own. It runs the packages as they are published. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, (body: unknown) => void>();
  #next = 0;

  constructor({ file, flags = [] }: ChildOptions) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
      execArgv: [...process.execArgv.filter((flag) => flag !== SOURCE_CONDITION), ...flags],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", (message) => this.#take(message as ChildMessage)); // serve-parent.ts writes them
    this.#process.on("exit", (code) => this.#ended(`${file} ended with status ${code}`));
  }

  /** Calls a handler of the child. @throws what it throws, or that the child ended */
  async ask<T>(name: string, body?: unknown): Promise<T> {
    this.#next += 1;
    const id = this.#next;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    const message: ParentMessage = { id, name, body };
    this.#process.send(message);
    return (await answer) as T; // the caller names the handler and with it its type
  }

  /** Takes what the child tells of itself. */
  on<T>(event: string, listener: (body: T) => void): void {
    this.#listeners.set(event, (body) => listener(body as T)); // as in ask
  }

  /** Ends the child in order, then by force. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    const force = setTimeout(() => this.#process.kill("SIGKILL"), STOP_MS);
    this.ask("stop").catch(() => undefined); // its exit answers
    await exited;
    clearTimeout(force);
  }

  #take(message: ChildMessage): void {
    if ("event" in message) {
      this.#listeners.get(message.event)?.(message.body);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.error));
  }

  #ended(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}
