import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metric } from "../benchmark.ts";
import { Child } from "../federation/child.ts";
import type { Usage } from "../federation/usage.ts";
import { distributionOf } from "../paired.ts";
import type { PartOptions } from "./part.ts";
import type { Population } from "./project.ts";
import type { UserMemory } from "./user-memory.ts";

/** Batches of the storm; after each its reference is measured. */
const BATCHES = 10;
const CLIENTS = 4;
/** Log-ins before the first that counts: code gets compiled. */
const WARM_UP = 400;
const TARGET_SECONDS = 30;
const TARGET_KIB = 12;
/** What the target is as a multiple of the public-key operations alone, 0.3 ms where it was set. */
const TARGET_OVER_RAW = 10;
/** Of so many enrolled sites one of the storm of kits. */
const KITS_PART = 5;
/** Time between two looks at how many sites there are once a batch was told to be through, ms. */
const POLL_MS = 250;
/** After the last log-in, until a connection counts as idle: the server tidies up once it is calm, ms. */
const IDLE_MS = 15_000;

interface Storm {
  readonly population: Population;
  readonly server: Child;
  readonly bare: Child;
  readonly clients: readonly Child[];
  readonly url: string;
  readonly bareUrl: string;
}

/**
 * Ten thousand sites log in at a whole server (coordinator, audit on disk), none of whose chains it has seen, and then
 * stay. What that costs: CPU time against the public-key operations alone; memory against as many bare WebSockets. They
 * are sites that enrolled: thousands of them are pages, and nobody hands out thousands of kits.
 */
export async function loginStorm(options: PartOptions): Promise<Readonly<Record<string, Metric>>> {
  const { batches, ...memory } = await storm("enrolled", options);
  const { ratio, seconds, rawSeconds } = summaryOf(batches);
  return {
    loginStormSeconds: {
      ...{ value: seconds, unit: "s" },
      ...{ reference: TARGET_SECONDS, ratio: seconds / TARGET_SECONDS },
    },
    loginStormWallSeconds: { value: sumOf(batches, ({ wallMs }) => wallMs) / 1000, unit: "s" },
    rawLoginStormSeconds: { value: rawSeconds, unit: "s" },
    rawCertificatesSeconds: {
      value: sumOf(batches, ({ certificatesMs }) => certificatesMs) / 1000,
      unit: "s",
    },
    loginOverRaw: {
      ...{ value: ratio.median, unit: "x", spread: ratio.spread },
      ...{ reference: TARGET_OVER_RAW, ratio: ratio.median / TARGET_OVER_RAW },
    },
    ...memoryMetrics(memory, options.sites),
  };
}

/** {@link loginStorm} of a fifth as many sites with kits: the root signed each of their certificates, on P-384. */
export async function kitStorm(options: PartOptions): Promise<Readonly<Record<string, Metric>>> {
  const { batches } = await storm("kits", { ...options, sites: options.sites / KITS_PART });
  const { ratio, seconds, rawSeconds } = summaryOf(batches);
  return {
    kitStormSeconds: { value: seconds, unit: "s" },
    rawKitStormSeconds: { value: rawSeconds, unit: "s" },
    rawKitCertificatesSeconds: {
      value: sumOf(batches, ({ certificatesMs }) => certificatesMs) / 1000,
      unit: "s",
    },
    kitLoginOverRaw: { value: ratio.median, unit: "x", spread: ratio.spread },
  };
}

interface Measured {
  readonly batches: readonly Batch[];
  readonly base: Memories;
  readonly full: Memories;
}

async function storm(population: Population, options: PartOptions): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  const flags = ["--expose-gc"];
  const server = new Child({ file: "../wire/hub-process.ts", flags });
  const bare = new Child({ file: "../wire/bare-process.ts", flags });
  const clients = Array.from({ length: CLIENTS }, () => new Child({ file: "../wire/clients-process.ts" }));
  try {
    const { project, log, sites: connections } = options;
    log(`issuing ${connections} certificates`);
    const each = connections / CLIENTS;
    await Promise.all(
      clients.map((client, index) =>
        client.ask("start", { project, population, first: 1 + index * each, count: each }),
      ),
    );
    const url = await server.ask<string>("start", { project, folder });
    const bareUrl = await bare.ask<string>("start");
    return await measure({ population, server, bare, clients, url, bareUrl }, options);
  } finally {
    await server.stop();
    await Promise.all([...clients, bare].map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(storm: Storm, { signal, log, sites: connections }: PartOptions): Promise<Measured> {
  await warmUp(storm);
  const base = await memories(storm, "compactUserMemory");
  const batches: Batch[] = [];
  for (let batch = 1; batch <= BATCHES; batch++) {
    signal.throwIfAborted();
    batches.push(
      await runBatch(storm, { logins: connections / BATCHES, total: (batch * connections) / BATCHES }),
    );
    log(`${(batch * connections) / BATCHES} sites, ${batches.at(-1)?.cpuMs.toFixed(0)} ms`);
  }
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return { batches, base, full: await memories(storm, "userMemory") };
}

/** The first sites come and go once: their chains are known from here on, 4 % of ten thousand. */
async function warmUp({ server, clients, url, bareUrl, bare }: Storm): Promise<void> {
  const count = WARM_UP / CLIENTS;
  await Promise.all(clients.map((client) => client.ask("connect", { url, count, announce: true })));
  await Promise.all(clients.map((client) => client.ask("connectBare", { url: bareUrl, count })));
  await Promise.all(clients.map((client) => client.ask("close")));
  await untilSites(server, 0);
  await bare.ask("userMemory");
}

interface Batch {
  readonly cpuMs: number;
  readonly wallMs: number;
  /** CPU time of the public-key operations of as many log-ins. */
  readonly rawMs: number;
  /** CPU time of verifying the signatures on as many certificates. */
  readonly certificatesMs: number;
}

async function runBatch(
  { population, server, clients, url, bareUrl }: Storm,
  { logins, total }: { readonly logins: number; readonly total: number },
): Promise<Batch> {
  const count = logins / CLIENTS;
  const startMs = performance.now();
  const { cpuMs: before } = await server.ask<Usage>("usage");
  await Promise.all(clients.map((client) => client.ask("connect", { url, count, announce: true })));
  await untilSites(server, total);
  const { cpuMs } = await server.ask<Usage>("usage");
  const wallMs = performance.now() - startMs;
  const rawMs = await server.ask<number>("rawLoginMs", logins);
  const certificatesMs = await server.ask<number>("rawCertificatesMs", { population, count: logins });
  await Promise.all(clients.map((client) => client.ask("connectBare", { url: bareUrl, count })));
  return { cpuMs: cpuMs - before, wallMs, rawMs, certificatesMs };
}

async function untilSites(server: Child, count: number): Promise<void> {
  while ((await server.ask<number>("sites")) !== count) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Memories {
  readonly server: UserMemory;
  readonly bare: UserMemory;
}

async function memories(
  { server, bare }: Storm,
  handler: "userMemory" | "compactUserMemory",
): Promise<Memories> {
  return { server: await server.ask<UserMemory>(handler), bare: await bare.ask<UserMemory>(handler) };
}

interface StormSummary {
  readonly seconds: number;
  readonly rawSeconds: number;
  readonly ratio: ReturnType<typeof distributionOf>;
}

function summaryOf(batches: readonly Batch[]): StormSummary {
  return {
    seconds: sumOf(batches, ({ cpuMs }) => cpuMs) / 1000,
    rawSeconds: sumOf(batches, ({ rawMs }) => rawMs) / 1000,
    ratio: distributionOf(batches.map(({ cpuMs, rawMs }) => cpuMs / rawMs)),
  };
}

function sumOf(batches: readonly Batch[], of: (batch: Batch) => number): number {
  return batches.reduce((total, batch) => total + of(batch), 0);
}

function memoryMetrics(
  { base, full }: Pick<Measured, "base" | "full">,
  connections: number,
): Readonly<Record<string, Metric>> {
  const kib = (of: keyof Memories, field: keyof UserMemory): number =>
    (full[of][field] - base[of][field]) / connections / 1024;
  const value = kib("server", "residentBytes");
  const bare = kib("bare", "residentBytes");
  return {
    idleConnectionKiB: { value, unit: "KiB", reference: TARGET_KIB, ratio: value / TARGET_KIB },
    idleConnectionHeapKiB: { value: kib("server", "heapBytes"), unit: "KiB" },
    idleConnectionExternalKiB: { value: kib("server", "externalBytes"), unit: "KiB" },
    bareConnectionKiB: { value: bare, unit: "KiB" },
    idleOverBare: { value: value / bare, unit: "x" },
  };
}
