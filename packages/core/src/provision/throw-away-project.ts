import { createProject, type ProvisionedProject, type ProvisionModules } from "./create-project.ts";
import type { ConnectionSecurity } from "./definition.ts";

/** What a throw-away project is for. */
export interface ThrowAwayOptions {
  /** Number of sites, named `site-1`, `site-2`, ... */
  readonly sites: number;
  /** Port that the server is reached at. */
  readonly port: number;
  /** Host names and addresses of the server; default loopback. */
  readonly hosts?: readonly string[];
  /** How sites connect; default "clear", which is for loopback. */
  readonly security?: ConnectionSecurity;
}

/** It is not meant to outlive a demonstration. */
const LIFETIME_MS = 7 * 86_400_000;

/**
 * A project for one run: the server `hub`, sites, and `demo@example.org` who may do all. Every secret is generated, lives
 * in memory and goes to the processes by a file descriptor.
 */
export function throwAwayProject(
  { sites, port, hosts = ["127.0.0.1", "localhost"], security = "clear" }: ThrowAwayOptions,
  modules: ProvisionModules,
): Promise<ProvisionedProject> {
  const definition = {
    name: "demo",
    server: { name: "hub", org: "demo", hosts, port },
    sites: Array.from({ length: sites }, (_, index) => ({
      name: `site-${index + 1}`,
      org: "demo",
      security,
    })),
    users: [{ name: "demo@example.org", org: "demo", role: "project_admin" }],
  };
  return createProject(definition, modules, { lifetimeMs: LIFETIME_MS });
}
