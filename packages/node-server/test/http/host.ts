import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { JobSummary } from "@photinus/core/coordinator";
import { JobError } from "@photinus/core/errors";
import type { JobView, Observation } from "@photinus/core/message";
import { type Connection, silentLogger } from "@photinus/core/platform";
import { systemClock } from "@photinus/node-platform";
import {
  type Federation,
  type HostAddress,
  HttpHost,
  type HttpHostOptions,
  type PrometheusMetrics,
  type PublishedBlob,
  prometheusMetrics,
  type ReadTokens,
  readTokens,
  type TransportPeer,
} from "@photinus/node-server";
import { onTestFinished } from "vitest";

/** A federation with one job and one blob, which keeps the connections that it gets. */
export class AFederation implements Federation {
  readonly connections: Connection[] = [];
  readonly peers: TransportPeer[] = [];
  readonly digest: string = "ab".repeat(32);
  /** Settles what `authenticated` promises are told; by default at once. */
  authenticate: (connection: Connection) => Promise<unknown> = async () => undefined;
  ready = true;
  observers = 0;
  drained = 0;
  /** Increments after the snapshot; the log stays open when it is `undefined`. */
  increments: readonly Observation[] | undefined = [];
  #wakeUp: (() => void)[] = [];

  jobs(): readonly JobSummary[] {
    return [
      { jobId: "job-1", name: "mnist", state: "running", submitter: "a@example.org", submittedAtMs: 1 },
      { jobId: "job-2", name: "other", state: "running", submitter: "b@example.org", submittedAtMs: 2 },
    ];
  }

  async abort(): Promise<void> {
    throw new JobError("ERR_JOB_UNKNOWN", "no such job");
  }

  async *observe(
    jobId: string,
    { fromSequence, signal }: { readonly fromSequence?: number; readonly signal: AbortSignal },
  ): AsyncIterable<Observation> {
    if (jobId !== "job-1") throw new JobError("ERR_JOB_UNKNOWN", "no such job");
    this.observers += 1;
    try {
      if (fromSequence === undefined) yield { kind: "snapshot", sequence: 1, job: aJob() };
      for (const increment of this.increments ?? []) yield increment;
      if (this.increments === undefined && !signal.aborted) {
        await new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => resolve());
          this.#wakeUp.push(resolve);
        });
      }
    } finally {
      this.observers -= 1;
    }
  }

  publishedBlob(digest: string): PublishedBlob | undefined {
    if (digest !== this.digest) return undefined;
    return { size: 6, read: () => [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6)] };
  }

  accept(connection: Connection, peer: TransportPeer) {
    this.connections.push(connection);
    this.peers.push(peer);
    return { authenticated: this.authenticate(connection) };
  }

  async drain(): Promise<void> {
    this.drained += 1;
  }

  isReady(): boolean {
    return this.ready;
  }
}

/** A job as a snapshot shows it. */
export function aJob(): JobView {
  return {
    jobId: "job-1",
    name: "mnist",
    purpose: "a test",
    state: "running",
    reason: "",
    rounds: 3,
    minimumSites: 2,
    startedAtMs: 1,
    modelBytes: 100,
    sites: [],
    history: [],
  };
}

/** A running host and what it serves. */
export interface Running extends HostAddress {
  readonly federation: AFederation;
  readonly tokens: ReadTokens;
  readonly metrics: PrometheusMetrics;
  readonly httpHost: HttpHost;
  get(path: string, init?: RequestInit): Promise<Response>;
}

/** Starts a host on a free loopback port; it stops when the test ends. */
export async function aHost(options: Partial<HttpHostOptions> = {}): Promise<Running> {
  const federation = new AFederation();
  const tokens = readTokens();
  const metrics = prometheusMetrics();
  const httpHost = new HttpHost(
    { port: 0, drainMs: 200, ...options },
    { federation, tokens, metrics, clock: systemClock(), logger: silentLogger },
  );
  const address = await httpHost.start();
  onTestFinished(() => httpHost.stop());
  const get = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`${address.origin}${path}`, init);
  return { ...address, federation, tokens, metrics, httpHost, get };
}

/** A folder with these files, removed when the test ends. Values that begin with "->" become links. */
export async function aFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    if (content.startsWith("->")) await symlink(content.slice(2), path);
    else await writeFile(path, content);
  }
  return folder;
}

/** The line of a figure as `/metrics` shows it; absent when there is none yet. */
export async function metric(host: Running, line: string): Promise<string | undefined> {
  return (await host.metrics.render()).split("\n").find((text) => text.startsWith(line));
}
