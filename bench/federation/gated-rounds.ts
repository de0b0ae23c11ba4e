import { EventEmitter, once } from "node:events";
import { jobOf, type Shapes, SMALL } from "./model.ts";
import type { BenchFederation, CollectedMark } from "./start.ts";
import type { Usage } from "./usage.ts";

/** What one round took, ms: CPU time of the server, and the time on the wall. */
export interface RoundCost {
  /** From all sites trained to all updates aggregated. */
  readonly uploadsMs: number;
  /** From there until all sites have the next model: mean, checkpoint, publication, sending. */
  readonly versionMs: number;
  /** On the wall: from all sites trained until all sites have the next model. */
  readonly wallMs: number;
}

/** What {@link gatedRounds} is told. */
export interface GatedRoundsOptions {
  readonly shapes: Shapes;
  readonly rounds: number;
  /** Runs while every site has the model and waits: the server rests. */
  readonly atRest: (round: number) => Promise<void>;
}

/** What a job of several rounds cost the server. */
export interface GatedRounds {
  readonly costs: readonly RoundCost[];
  /** Resident set before the job, after another one over a small model. */
  readonly baseBytes: number;
  /** Largest resident set while the job ran. */
  readonly peakBytes: number;
}

/** Runs a job whose rounds stop when every site is about to send its update. */
export async function gatedRounds(
  federation: BenchFederation,
  options: GatedRoundsOptions,
): Promise<GatedRounds> {
  const { server } = federation;
  const gate = watchGate(federation);
  await warmUp(federation, gate);
  await server.ask("forgetPeak");
  const { residentBytes: baseBytes } = await server.ask<Usage>("usage");
  const costs: RoundCost[] = [];
  let opened: OpenedRound | undefined;
  const { rounds, shapes } = options;
  const { jobId } = await federation.user.submit(jobOf(shapes, { rounds, sites: gate.sites }));
  for (let round = 1; round <= rounds; round++) {
    await gate.closed();
    const closedAtMs = performance.now();
    const { cpuMs: restMs } = await server.ask<Usage>("usage");
    if (opened !== undefined) {
      const { uploadsMs, collectedMs, atMs } = opened;
      costs.push({ uploadsMs, versionMs: restMs - collectedMs, wallMs: closedAtMs - atMs });
    }
    await options.atRest(round);
    const { cpuMs: startMs } = await server.ask<Usage>("usage");
    const collected = gate.collected();
    const atMs = performance.now();
    await gate.open();
    const { cpuMs: collectedMs } = await collected;
    opened = { uploadsMs: collectedMs - startMs, collectedMs, atMs };
  }
  const state = await server.ask<string>("ended", jobId);
  if (state !== "finished") throw new Error(`the job is ${state}`);
  const { peakBytes } = await server.ask<Usage>("usage");
  return { costs, baseBytes, peakBytes };
}

/** A round whose updates are aggregated. */
interface OpenedRound {
  readonly uploadsMs: number;
  /** CPU time of the server until then, ms. */
  readonly collectedMs: number;
  /** When the sites went on. */
  readonly atMs: number;
}

/** Where all sites stand. */
interface Gate {
  readonly sites: number;
  /** Resolves when every site waits. */
  closed(): Promise<void>;
  /** Lets every site go on. */
  open(): Promise<void>;
  /** Resolves when the uploads of this round are aggregated. */
  collected(): Promise<CollectedMark>;
}

function watchGate({ server, sites: children, siteCount: sites }: BenchFederation): Gate {
  const events = new EventEmitter();
  let waiting = 0;
  for (const child of children) {
    child.on("training", () => {
      waiting += 1;
      if (waiting === sites) events.emit("closed");
    });
  }
  server.on<CollectedMark>("collected", (mark) => events.emit("collected", mark));
  return {
    sites,
    async closed() {
      if (waiting < sites) await once(events, "closed");
    },
    async open() {
      waiting = 0;
      await Promise.all(children.map((child) => child.ask("go")));
    },
    async collected() {
      const [mark] = (await once(events, "collected")) as [CollectedMark]; // as it was emitted above
      return mark;
    },
  };
}

/** A job over a small model: what it leaves in memory is no part of what a large one takes. */
async function warmUp({ server, user }: BenchFederation, gate: Gate): Promise<void> {
  const rounds = 5;
  const { jobId } = await user.submit(jobOf(SMALL, { rounds, sites: gate.sites }));
  for (let round = 1; round <= rounds; round++) {
    await gate.closed();
    await gate.open();
  }
  await server.ask("ended", jobId);
}
