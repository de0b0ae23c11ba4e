import type { Metric } from "../benchmark.ts";
import { gatedRounds } from "../federation/gated-rounds.ts";
import { RESNET18 } from "../federation/model.ts";
import { startFederation } from "../federation/start.ts";
import { distributionOf } from "../paired.ts";

const SITES = 8;
/** One before the first that counts, nine that count; the last model goes to no training. */
const ROUNDS = 11;
const TARGET_SECONDS = 3;
const TARGET_MEGABYTES = 320;

/**
 * A round of eight sites that train nothing, on this machine together with the server: eight updates of ResNet-18 in
 * float32 go up, are verified, added and committed, and the next model is sealed and comes down to all. Time on the wall,
 * because it is what a round takes; and the largest resident set of the server.
 */
export async function largeRound(signal: AbortSignal): Promise<Readonly<Record<string, Metric>>> {
  const federation = await startFederation({ sites: [SITES], gated: true });
  try {
    const atRest = async (): Promise<void> => signal.throwIfAborted();
    const { costs, peakBytes } = await gatedRounds(federation, { shapes: RESNET18, rounds: ROUNDS, atRest });
    const { median, spread } = distributionOf(costs.slice(1).map(({ wallMs }) => wallMs / 1000));
    const megabytes = peakBytes / 1e6;
    return {
      largeRoundSeconds: {
        value: median,
        unit: "s",
        reference: TARGET_SECONDS,
        ratio: median / TARGET_SECONDS,
        spread,
      },
      largeRoundPeakMegabytes: {
        value: megabytes,
        unit: "MB",
        reference: TARGET_MEGABYTES,
        ratio: megabytes / TARGET_MEGABYTES,
      },
    };
  } finally {
    await federation.stop();
  }
}
