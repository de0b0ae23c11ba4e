/** A call of the parent. */
export interface ParentMessage {
  readonly id: number;
  readonly name: string;
  readonly body: unknown;
}

/** An answer to a call, or something that happened. */
export type ChildMessage =
  | { readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly event: string; readonly body: unknown };

/** What the parent may call, by name; `stop` must let everything go. */
export type Handlers = Readonly<Record<string, (body: never) => unknown>> & { readonly stop: () => unknown };

const post = (message: ChildMessage): void => {
  process.send?.(message);
};

/** Tells the parent that something happened. */
export function tell(event: string, body?: unknown): void {
  post({ event, body });
}

/** Answers the parent's calls until it calls `stop`, or is gone. */
export function serveParent(handlers: Handlers): void {
  process.on("message", ({ id, name, body }: ParentMessage) => {
    void answer(handlers, { id, name, body });
  });
  process.on("disconnect", () => process.exit(1));
}

async function answer(handlers: Handlers, { id, name, body }: ParentMessage): Promise<void> {
  try {
    const handler = handlers[name];
    if (handler === undefined) throw new RangeError(`no handler ${name}`);
    post({ id, value: await handler(body as never) }); // Child.ask sends what the handler takes
  } catch (error) {
    post({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  if (name === "stop") setImmediate(() => process.exit(0));
}
