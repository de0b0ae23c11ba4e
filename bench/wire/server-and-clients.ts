import { Child } from "../federation/child.ts";
import type { BenchProject } from "./project.ts";

/** A server and the clients of one measurement, in a process each. */
export interface ServerAndClients {
  readonly server: Child;
  readonly clients: Child;
  /** Where the clients connect to. */
  readonly url: string;
}

/** Starts a server and so many sites, lets them be measured and ends both processes. */
export async function withServerAndClients<T>(
  { project, count }: { readonly project: BenchProject; readonly count: number },
  measured: (processes: ServerAndClients) => Promise<T>,
): Promise<T> {
  const server = new Child({ file: "../wire/endpoint-process.ts" });
  const clients = new Child({ file: "../wire/clients-process.ts" });
  try {
    const url = await server.ask<string>("start", project);
    await clients.ask("start", { project, first: 1, count, population: "kits" });
    return await measured({ server, clients, url });
  } finally {
    await Promise.all([clients.stop(), server.stop()]);
  }
}
