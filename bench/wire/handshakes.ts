import type { Metric } from "../benchmark.ts";
import type { Usage } from "../federation/usage.ts";
import { distributionOf } from "../paired.ts";
import type { PartOptions } from "./part.ts";
import { withServerAndClients } from "./server-and-clients.ts";

/** Handshakes in one measurement. */
const COUNT = 200;
const SITES = 16;
const TARGET_MS = 2;
/** Time between two looks at whether closed sessions are gone, ms. */
const POLL_MS = 20;

/**
 * Log-ins of sites whose chains the server has validated before, from the TCP connection to WELCOME. CPU time of the
 * server process against the public-key operations that no log-in can do without, in the same process.
 */
export async function handshakes({
  project,
  pairs,
  signal,
}: PartOptions): Promise<Readonly<Record<string, Metric>>> {
  return await withServerAndClients({ project, count: SITES }, async ({ server, clients, url }) => {
    const measure = async (): Promise<number> => {
      const { cpuMs: before } = await server.ask<Usage>("usage");
      await clients.ask("connect", { url, count: COUNT, announce: false });
      const { cpuMs } = await server.ask<Usage>("usage");
      await clients.ask("close");
      while ((await server.ask<number>("sessions")) > 0) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
      return cpuMs - before;
    };
    for (let warmUp = 0; warmUp < 3; warmUp++) await measure();
    const costs: { readonly login: number; readonly raw: number }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      signal.throwIfAborted();
      const login = (await measure()) / COUNT;
      costs.push({ login, raw: (await server.ask<number>("rawLoginMs", COUNT)) / COUNT });
    }
    const login = distributionOf(costs.map((cost) => cost.login));
    const raw = distributionOf(costs.map((cost) => cost.raw));
    const ratio = distributionOf(costs.map((cost) => cost.login / cost.raw));
    return {
      handshakeServerCpuMs: {
        value: login.median,
        unit: "ms",
        reference: TARGET_MS,
        ratio: login.median / TARGET_MS,
        spread: login.spread,
      },
      rawHandshakeMs: { value: raw.median, unit: "ms", spread: raw.spread },
      handshakeOverRaw: { value: ratio.median, unit: "x", spread: ratio.spread },
    };
  });
}
