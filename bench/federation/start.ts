import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Federation } from "@photinus/core/console";
import { openKit, type StartupKit, throwAwayProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { Child } from "./child.ts";
import { compilePackages } from "./compile.ts";

/** What a server process is started with. */
export interface StartServer {
  readonly kit: Pick<StartupKit, "files" | "secret">;
  readonly folder: string;
  /** Jobs that run at once. Default: the server's. */
  readonly jobs?: number | undefined;
}

/** Where it listens. */
export interface ServerStarted {
  readonly socketUrl: string;
}

/** What a process of sites is started with. */
export interface StartSites {
  readonly kits: readonly Pick<StartupKit, "files" | "secret">[];
  readonly socketUrl: string;
  /** Each training waits for `go`. */
  readonly gated: boolean;
  /** Jobs that each site takes at once. Default: the site's. */
  readonly jobs?: number | undefined;
}

/** The uploads of a round are through. */
export interface CollectedMark {
  /** CPU time of the server so far. */
  readonly cpuMs: number;
  /** Monotonic, ms. */
  readonly atMs: number;
}

/** How a federation is started. */
export interface FederationOptions {
  /** Sites in each process of sites. */
  readonly sites: readonly number[];
  /** Each training waits for `go`. */
  readonly gated: boolean;
  /** Jobs at once, at the server and at each site. Default: theirs. */
  readonly jobs?: number;
}

/** A server, sites and a user, each in processes of their own (the user in this one). */
export interface BenchFederation {
  readonly server: Child;
  readonly sites: readonly Child[];
  /** Sites in all processes together. */
  readonly siteCount: number;
  readonly user: Federation;
  stop(): Promise<void>;
}

/** Writes CPU profiles of the server to the folder that this variable of the environment names. */
const PROFILE = process.env["PHOTINUS_BENCH_PROFILE"];

/** Makes a project and starts everything over real sockets, with real storage and every check. */
export async function startFederation(options: FederationOptions): Promise<BenchFederation> {
  await compilePackages();
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  const crypto = nodeCrypto();
  const clock = systemClock();
  const count = options.sites.reduce((sum, each) => sum + each, 0);
  const { kits } = await throwAwayProject({ sites: count, port: 1 }, { crypto, clock });
  const kitOf = (name: string): Pick<StartupKit, "files" | "secret"> => {
    const kit = kits.get(name);
    if (kit === undefined) throw new RangeError(`no kit for ${name}`);
    return { files: kit.files, secret: kit.secret };
  };
  const flags = PROFILE === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${PROFILE}`];
  const server = new Child({ file: "server-process.ts", flags });
  const startServer: StartServer = { kit: kitOf("hub"), folder, jobs: options.jobs };
  const { socketUrl } = await server.ask<ServerStarted>("start", startServer);
  let first = 1;
  const sites: Child[] = [];
  for (const many of options.sites) {
    const child = new Child({ file: "sites-process.ts" });
    const names = Array.from({ length: many }, (_, index) => `site-${first + index}`);
    first += many;
    const startSites: StartSites = {
      kits: names.map(kitOf),
      socketUrl,
      gated: options.gated,
      jobs: options.jobs,
    };
    await child.ask("start", startSites);
    sites.push(child);
  }
  const { files, secret } = kitOf("demo@example.org");
  const kit = await openKit(files, { nowMs: clock.now(), secret }, { crypto });
  const connector = webSocketConnector({ url: socketUrl });
  const user = await connect({ kit, transport: { connector, clock, crypto } });
  return {
    server,
    sites,
    siteCount: count,
    user,
    async stop() {
      await user.close();
      await Promise.all(sites.map((child) => child.stop()));
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
