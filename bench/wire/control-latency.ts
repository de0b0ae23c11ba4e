import type { Metric } from "../benchmark.ts";
import { Child } from "../federation/child.ts";
import { bytesOf, RESNET18 } from "../federation/model.ts";
import { distributionOf } from "../paired.ts";
import type { PartOptions } from "./part.ts";

/** Pings of one measurement; the slowest hundredth of them decides. */
const PINGS = 400;
const TARGET_MS = 10;
const BYTES = bytesOf(RESNET18);

/**
 * A message and its answer while updates are uploaded as fast as they go: in the uploading session itself, and in
 * another one of the same server; against the same pings at rest. Time on the clock, 99th percentile.
 */
export async function controlLatency({
  project,
  pairs,
  signal,
}: PartOptions): Promise<Readonly<Record<string, Metric>>> {
  const server = new Child({ file: "../wire/endpoint-process.ts" });
  const uploader = new Child({ file: "../wire/clients-process.ts" });
  const other = new Child({ file: "../wire/clients-process.ts" });
  try {
    const url = await server.ask<string>("start", project);
    for (const [index, client] of [uploader, other].entries()) {
      await client.ask("start", { project, first: 1 + index, count: 1, population: "kits" });
      await client.ask("connect", { url, count: 1, announce: false });
    }
    const p99 = async (client: Child): Promise<number> => slowest(await client.ask<number[]>("ping", PINGS));
    const runs: { readonly rest: number; readonly same: number; readonly other: number }[] = [];
    let uploads = 0;
    for (let pair = -1; pair < pairs; pair++) {
      signal.throwIfAborted();
      const rest = await p99(uploader);
      await uploader.ask("startUploads", BYTES);
      const run = { rest, same: await p99(uploader), other: await p99(other) };
      const count = await uploader.ask<number>("stopUploads");
      if (pair < 0) continue; // code gets compiled
      uploads += count;
      runs.push(run);
    }
    const same = distributionOf(runs.map((run) => run.same));
    const others = distributionOf(runs.map((run) => run.other));
    const rest = distributionOf(runs.map((run) => run.rest));
    return {
      controlP99Ms: {
        value: same.median,
        unit: "ms",
        reference: TARGET_MS,
        ratio: same.median / TARGET_MS,
        spread: same.spread,
      },
      controlP99OtherSessionMs: { value: others.median, unit: "ms", spread: others.spread },
      controlP99AtRestMs: { value: rest.median, unit: "ms", spread: rest.spread },
      controlUploads: { value: uploads, unit: "updates" },
    };
  } finally {
    await Promise.all([uploader.stop(), other.stop(), server.stop()]);
  }
}

/** The 99th percentile. */
function slowest(times: readonly number[]): number {
  const sorted = [...times].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}
