import { EventEmitter, once } from "node:events";
import type { Metric } from "../benchmark.ts";
import type { Usage } from "../federation/usage.ts";
import { distributionOf } from "../paired.ts";
import type { PartOptions } from "./part.ts";
import { withServerAndClients } from "./server-and-clients.ts";

const SESSIONS = 8;
/** Signed messages of each session in one measurement. */
const EACH = 500;
/** Verified signed messages a second on one core. */
const TARGET = 8_000;

/**
 * Small signed messages (an evaluation result) through the whole receive path of a server: WebSocket, decryption, token,
 * replay, signature, digest, decoding, schema, handler. CPU time of the server process, all its threads, against as many
 * bare verifications in the same process.
 */
export async function signedMessages({
  project,
  pairs,
  signal,
}: PartOptions): Promise<Readonly<Record<string, Metric>>> {
  return await withServerAndClients({ project, count: SESSIONS }, async ({ server, clients, url }) => {
    await clients.ask("connect", { url, count: SESSIONS, announce: false });
    const events = new EventEmitter();
    server.on<Usage>("signed", (usage) => events.emit("signed", usage));
    const count = SESSIONS * EACH;
    const measure = async (): Promise<number> => {
      const { cpuMs: before } = await server.ask<Usage>("expectSigned", count);
      const handled = once(events, "signed") as Promise<[Usage]>; // as it was emitted above
      await clients.ask("sign", EACH);
      const [{ cpuMs }] = await handled;
      return cpuMs - before;
    };
    for (let warmUp = 0; warmUp < 2; warmUp++) await measure();
    const costs: { readonly message: number; readonly verify: number }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      signal.throwIfAborted();
      const message = (await measure()) / count;
      costs.push({ message, verify: (await server.ask<number>("rawVerifyMs", count)) / count });
    }
    const rate = distributionOf(costs.map(({ message }) => 1000 / message));
    const raw = distributionOf(costs.map(({ verify }) => 1000 / verify));
    const ratio = distributionOf(costs.map(({ message, verify }) => message / verify));
    return {
      signedMessagesPerSecond: {
        value: rate.median,
        unit: "1/s",
        reference: TARGET,
        ratio: rate.median / TARGET,
        spread: rate.spread,
      },
      rawVerifiesPerSecond: { value: raw.median, unit: "1/s", spread: raw.spread },
      signedMessageOverVerify: { value: ratio.median, unit: "x", spread: ratio.spread },
    };
  });
}
