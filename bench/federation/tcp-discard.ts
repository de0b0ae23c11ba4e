import { Child } from "./child.ts";

/** Updates that one baseline carries: enough to pay for the start of its connection. */
const UPDATES = 12;

/**
 * The baseline of `update`: two fresh processes of the kind that the federation runs in, one raw TCP connection, bytes
 * that are received and discarded.
 * @returns CPU time of the receiver for each update, ms
 */
export async function tcpDiscardMs(updateBytes: number): Promise<number> {
  const [receiver, sender] = [new Child({ file: "tcp-process.ts" }), new Child({ file: "tcp-process.ts" })];
  try {
    await sender.ask("connect", await receiver.ask<number>("listen"));
    const bytes = UPDATES * updateBytes;
    const discarding = receiver.ask<number>("discard", bytes);
    await sender.ask("send", bytes);
    return (await discarding) / UPDATES;
  } finally {
    await Promise.all([sender.stop(), receiver.stop()]);
  }
}
