import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { compilePackages } from "./federation/compile.ts";
import { chunkHash } from "./wire/chunk-hash.ts";
import { controlLatency } from "./wire/control-latency.ts";
import { handshakes } from "./wire/handshakes.ts";
import { kitStorm, loginStorm } from "./wire/login-storm.ts";
import type { PartOptions } from "./wire/part.ts";
import { benchProject } from "./wire/project.ts";
import { signedMessages } from "./wire/signed-messages.ts";

/** Measurements of each figure and of its reference; `--pairs <n>` takes another number. */
const PAIRS = 9;

/** Connections of the storm; `--sites <n>` takes another number, a multiple of 200. */
const SITES = 10_000;

const PARTS: Readonly<Record<string, (options: PartOptions) => Promise<Readonly<Record<string, Metric>>>>> = {
  signed: signedMessages,
  chunks: chunkHash,
  handshake: handshakes,
  control: controlLatency,
  storm: loginStorm,
  kits: kitStorm,
};

/**
 * What the protocol costs: verified messages, hashed chunks, log-ins, idle connections, waiting behind an upload. Server
 * and clients are processes of their own over real sockets. Names of parts on the command line run only these.
 */
export async function run({ args, log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const pairs = numberOf("--pairs", args) ?? PAIRS;
  const sites = numberOf("--sites", args) ?? SITES;
  const chosen = Object.keys(PARTS).filter((name) => args.includes(name));
  await compilePackages();
  const project = await benchProject();
  const metrics: Record<string, Metric> = {};
  for (const [name, part] of Object.entries(PARTS)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    log(name);
    Object.assign(metrics, await part({ project, pairs, sites, log, signal }));
  }
  return { benchmark: "wire", metrics };
}

/** The number behind an option. */
function numberOf(option: string, args: readonly string[]): number | undefined {
  const index = args.indexOf(option);
  return index < 0 ? undefined : Number(args[index + 1]) || undefined;
}
