import type { OpenedKit } from "@photinus/core/provision";
import { type TestProject, testProject } from "@photinus/core/testing";
import { nodeCrypto, systemClock } from "@photinus/node-platform";

/** The kit of the server of a test project, as `openKit` yields it. */
export function serverKitOf(project: TestProject): OpenedKit {
  const { certificate, key } = project.enrolmentCa;
  return {
    manifest: {
      ...{ version: 1, project: "test", participant: "hub", role: "server", kitId: "0".repeat(32) },
      ...{ notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER, files: [] },
    },
    configuration: {
      ...{ version: 1, project: "test", role: "server", name: "hub", org: "example", security: "clear" },
      server: { name: "hub", addresses: ["ws://127.0.0.1:1/ws"] },
    },
    root: project.root.certificate,
    identity: project.server,
    enrolment: { certificate, key },
    ownKeys: [],
    machines: new Map(),
    tlsAuthorities: [],
    storageKey: new Uint8Array(32),
    revocationList: project.revocations.ofRoot?.der,
  };
}

/** Such a kit of a project of its own. */
export async function anOpenedKit(): Promise<OpenedKit> {
  return serverKitOf(await testProject({ crypto: nodeCrypto(), clock: systemClock() }));
}
