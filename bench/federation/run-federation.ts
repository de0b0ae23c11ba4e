import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Federation } from "@photinus/core/console";
import { openKit, throwAwayProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { endPart, hear, startPart } from "./parts.ts";

/** A server and sites as processes, and a user in this one. */
export interface BenchFederation {
  readonly user: Federation;
  readonly server: ChildProcess;
  readonly sites: readonly ChildProcess[];
}

/** Runs `work` with a federation of processes over real sockets, with full security; ends them in any case. */
export async function withFederation<T>(
  options: { readonly sites: number; readonly waits?: boolean },
  work: (federation: BenchFederation) => Promise<T>,
): Promise<T> {
  const [clock, crypto] = [systemClock(), nodeCrypto()];
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  const processes: ChildProcess[] = [];
  try {
    const project = await throwAwayProject({ sites: options.sites, port: 8080 }, { crypto, clock });
    const kitOf = (name: string) => {
      const kit = project.kits.get(name);
      if (kit === undefined) throw new Error(`no kit for ${name}`);
      return kit;
    };
    const server = startPart("server", kitOf("hub"), { stateFolder: join(folder, "state") });
    processes.push(server);
    const { socketUrl } = await hear(server, "ready");
    const sites = project.definition.sites.map(({ name }) =>
      startPart("site", kitOf(name), { server: socketUrl, waits: options.waits === true }),
    );
    processes.push(...sites);
    const { files, secret } = kitOf("demo@example.org");
    const { identity, root } = await openKit(files, { nowMs: Date.now(), secret }, { crypto });
    const user = await connect(
      { identity, project: "demo", root: root.der, serverName: "hub" },
      { connector: webSocketConnector({ url: socketUrl }), clock, crypto },
    );
    const result = await work({ user, server, sites });
    await user.close();
    return result;
  } finally {
    await Promise.all(processes.map(endPart));
    await rm(folder, { recursive: true, force: true });
  }
}
