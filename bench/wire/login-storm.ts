import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Metric } from "../benchmark.ts";
import { Child } from "../federation/child.ts";
import type { Usage } from "../federation/usage.ts";
import { distributionOf } from "../paired.ts";
import type { PartOptions } from "./part.ts";
import type { UserMemory } from "./user-memory.ts";

/** Batches of the storm; after each its reference is measured. */
const BATCHES = 10;
const CLIENTS = 4;
/** Log-ins before the first that counts: code gets compiled. */
const WARM_UP = 400;
const TARGET_SECONDS = 30;
const TARGET_KIB = 12;
/** Time between two looks at how many sites there are, ms: the server sorts them by name for it. */
const POLL_MS = 250;
/** After the last log-in, until a connection counts as idle: the server tidies up once it is calm, ms. */
const IDLE_MS = 15_000;

interface Storm {
  readonly server: Child;
  readonly bare: Child;
  readonly clients: readonly Child[];
  readonly url: string;
  readonly bareUrl: string;
}

/**
 * Ten thousand sites log in at a whole server (coordinator, audit on disk), none of whose chains it has seen, and then
 * stay. What that costs: CPU time against the public-key operations alone; memory against as many bare WebSockets.
 */
export async function loginStorm(options: PartOptions): Promise<Readonly<Record<string, Metric>>> {
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
      clients.map((client, index) => client.ask("start", { project, first: 1 + index * each, count: each })),
    );
    const url = await server.ask<string>("start", { project, folder });
    const bareUrl = await bare.ask<string>("start");
    return await measure({ server, bare, clients, url, bareUrl }, options);
  } finally {
    await server.stop();
    await Promise.all([...clients, bare].map((child) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  storm: Storm,
  { signal, log, sites: connections }: PartOptions,
): Promise<Readonly<Record<string, Metric>>> {
  await warmUp(storm);
  const base = await memories(storm);
  const batches: Batch[] = [];
  for (let batch = 1; batch <= BATCHES; batch++) {
    signal.throwIfAborted();
    batches.push(
      await runBatch(storm, { logins: connections / BATCHES, total: (batch * connections) / BATCHES }),
    );
    log(`${(batch * connections) / BATCHES} sites, ${batches.at(-1)?.cpuMs.toFixed(0)} ms`);
  }
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return { ...stormMetrics(batches), ...memoryMetrics({ base, full: await memories(storm), connections }) };
}

/** The first sites come and go once: their chains are known from here on, 4 % of all. */
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
}

async function runBatch(
  { server, clients, url, bareUrl }: Storm,
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
  await Promise.all(clients.map((client) => client.ask("connectBare", { url: bareUrl, count })));
  return { cpuMs: cpuMs - before, wallMs, rawMs };
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

async function memories({ server, bare }: Storm): Promise<Memories> {
  return {
    server: await server.ask<UserMemory>("userMemory"),
    bare: await bare.ask<UserMemory>("userMemory"),
  };
}

function stormMetrics(batches: readonly Batch[]): Readonly<Record<string, Metric>> {
  const sum = (of: (batch: Batch) => number): number =>
    batches.reduce((total, batch) => total + of(batch), 0) / 1000;
  const seconds = sum((batch) => batch.cpuMs);
  const ratio = distributionOf(batches.map(({ cpuMs, rawMs }) => cpuMs / rawMs));
  return {
    loginStormSeconds: {
      value: seconds,
      unit: "s",
      reference: TARGET_SECONDS,
      ratio: seconds / TARGET_SECONDS,
      spread: distributionOf(batches.map(({ cpuMs }) => cpuMs)).spread,
    },
    loginStormWallSeconds: { value: sum((batch) => batch.wallMs), unit: "s" },
    rawLoginStormSeconds: { value: sum((batch) => batch.rawMs), unit: "s" },
    loginOverRaw: { value: ratio.median, unit: "x", spread: ratio.spread },
  };
}

function memoryMetrics({
  base,
  full,
  connections,
}: {
  readonly base: Memories;
  readonly full: Memories;
  readonly connections: number;
}): Readonly<Record<string, Metric>> {
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
