import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { connect, type JobHandle } from "@photinus/core/console";
import type { RoundView } from "@photinus/core/message";
import { nodeTransport } from "@photinus/node-client";
import { openHostKit, proxyFromEnvironment, readKitFolder, readSecretFile } from "@photinus/node-platform";

// A program between the federation and a system of others: it watches one job and tells an experiment tracker the
// figures of each round. Copy it and change `httpTracker`.

/** Where figures go. */
export interface Tracker {
  /** @param step round, from 1 */
  log(step: number, metrics: Readonly<Record<string, number>>): Promise<void>;
  /** @param state "finished", "failed" or "aborted" */
  finish(state: string): Promise<void>;
}

/** A tracker that says nothing for so long ends the adapter, in ms. */
const TRACKER_MS = 30_000;

/** Tells a tracker by HTTP: one POST for each round and one for the end, JSON. */
export function httpTracker(url: string, run: string): Tracker {
  const post = async (body: object): Promise<void> => {
    const headers = { "Content-Type": "application/json" };
    const signal = AbortSignal.timeout(TRACKER_MS);
    const response = await fetch(url, {
      method: "POST",
      headers,
      signal,
      body: JSON.stringify({ run, ...body }),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`the tracker answered HTTP ${response.status}`);
  };
  return {
    log: (step, metrics) => post({ step, metrics }),
    finish: (state) => post({ state }),
  };
}

/** The figures of a round that a tracker draws. */
function metricsOf({ trainingLoss, evaluation, contributions }: RoundView): Record<string, number> {
  const accepted = contributions.filter(({ outcome }) => outcome === "accepted");
  return {
    sites: accepted.length,
    examples: accepted.reduce((sum, { exampleCount }) => sum + exampleCount, 0),
    ...(trainingLoss === undefined ? {} : { training_loss: trainingLoss }),
    ...(evaluation === undefined ? {} : { loss: evaluation.loss, accuracy: evaluation.accuracy }),
  };
}

/** Tells a tracker each round once, when it is finished and measured, and then how the job ended. */
export async function follow(job: JobHandle, tracker: Tracker, signal: AbortSignal): Promise<void> {
  for await (const { number, view } of job.rounds(signal)) await tracker.log(number, metricsOf(view));
  const last = await job.ended(signal);
  if (last !== undefined) await tracker.finish(last.state);
}

/** Options of {@link runAdapter}. */
export interface AdapterOptions {
  /** Folder of the adapter's kit. */
  readonly kit: string;
  /** File that holds the kit's secret. */
  readonly passphraseFile: string;
  /** Id of the job: 32 hexadecimal digits. */
  readonly job: string;
  /** Address that takes the figures. */
  readonly tracker: string;
  /** Address of the server's socket in place of that in the kit. */
  readonly server?: string | undefined;
}

/** Opens the kit, connects as the adapter and follows the job to its end. */
export async function runAdapter(options: AdapterOptions, signal: AbortSignal): Promise<void> {
  const [files, secret] = await Promise.all([
    readKitFolder(options.kit),
    readSecretFile(options.passphraseFile),
  ]);
  const { kit, tls } = await openHostKit(files, secret);
  const { server } = options;
  const transport = nodeTransport({
    ...{ kit, tls, proxyOf: (url) => proxyFromEnvironment(url, process.env) },
    ...(server === undefined ? {} : { server }),
  });
  const federation = await connect({ kit, transport, signal });
  try {
    await follow(federation.job(options.job), httpTracker(options.tracker, options.job), signal);
  } finally {
    await federation.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kit: { type: "string" },
      "passphrase-file": { type: "string" },
      job: { type: "string" },
      tracker: { type: "string" },
      server: { type: "string" },
    },
  });
  const { kit, "passphrase-file": passphraseFile, job, tracker, server } = values;
  if (kit === undefined || passphraseFile === undefined || job === undefined || tracker === undefined) {
    throw new TypeError("expected --kit, --passphrase-file, --job and --tracker");
  }
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort());
  await runAdapter({ kit, passphraseFile, job, tracker, server }, stop.signal);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
