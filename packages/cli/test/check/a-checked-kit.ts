import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePem, issueParticipant, requireName, sealPrivateKey } from "@photinus/core/pki";
import { type Clock, silentLogger } from "@photinus/core/platform";
import {
  createProject,
  enrolledKitFiles,
  type ProvisionedProject,
  type StartupKit,
} from "@photinus/core/provision";
import { nodeCrypto, openHostKit, pem, systemClock, writeKitFolder } from "@photinus/node-platform";
import { openStorage, PhotinusServer, type PhotinusServerOptions } from "@photinus/node-server";
import { onTestFinished } from "vitest";
import type { NamedFinding } from "../../src/check/run-probes.ts";
import { check } from "../../src/commands/check.ts";
import { ReportedFailure } from "../../src/exit-code.ts";
import { terminal } from "../../src/terminal.ts";
import { capturedStreams } from "../captured-streams.ts";

const [crypto, clock] = [nodeCrypto(), systemClock()];
const never = new AbortController().signal;

/** A project with a user for each way to connect: of users, no devices are looked at. */
export async function aProject(hosts: readonly string[] = ["127.0.0.1"]): Promise<ProvisionedProject> {
  const site = (security: "mtls" | "tls" | "clear") => ({ name: `by-${security}`, org: "o", security });
  const definition = {
    name: "trial",
    server: { name: "hub", org: "o", hosts, port: 8443 },
    sites: [],
    users: [],
    adapters: [site("mtls"), site("tls"), site("clear")],
  };
  return await createProject(definition, { crypto, clock });
}

/** Kit of a participant. */
export function kitOf({ kits }: ProvisionedProject, name: string): StartupKit {
  const kit = kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return kit;
}

/** A folder that is removed when the test ends. */
export async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-check-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A kit in a folder, and its secret in a file. */
export async function aKitFolder(
  kit: Pick<StartupKit, "files" | "secret">,
): Promise<{ kit: string; passphraseFile: string }> {
  const folder = await aFolder();
  await writeKitFolder(join(folder, "kit"), kit.files);
  await writeFile(join(folder, "secret"), kit.secret, { mode: 0o600 });
  return { kit: join(folder, "kit"), passphraseFile: join(folder, "secret") };
}

/** What a site has that joined the project by a link: certificate of the enrolment CA, own key. */
export async function anEnrolledFolder(
  project: ProvisionedProject,
): Promise<{ kit: string; passphraseFile: string }> {
  const { files, secret } = kitOf(project, "hub");
  const { kit: hub } = await openHostKit(files, secret);
  if (hub.enrolment === undefined) throw new Error("the server has an enrolment CA");
  const key = await crypto.generateSigningKey(1, { extractable: true });
  const [name, org] = [requireName("walk-in", "the site"), requireName("o", "its organization")];
  const subject = { project: requireName("trial", "the project"), role: "site", name } as const;
  const request = { subject, org, publicKey: key.publicKey, inviteDigest: new Uint8Array(32).fill(1) };
  const leaf = await issueParticipant({ ...request, nowMs: Date.now() }, hub.enrolment, { crypto });
  const chain = [leaf.der, hub.enrolment.certificate.der];
  const { server } = hub.configuration;
  const configuration = {
    ...({ version: 1, project: "trial", role: "site", security: "clear" } as const),
    ...{ name, org, server },
  };
  const sealed = await sealPrivateKey(
    await crypto.exportSigningKey(key),
    { passphrase: secret, iterations: 10_000 },
    { crypto },
  );
  const enrolled = new Map(enrolledKitFiles({ chain, root: hub.root.der }, configuration));
  enrolled.set("key.pem", encodePem("ENCRYPTED PRIVATE KEY", sealed));
  return await aKitFolder({ files: enrolled, secret });
}

/** A server of the project; with `clear`, as behind a proxy that ended TLS. @returns address of its socket */
export async function aServer(
  project: ProvisionedProject,
  mode: "tls" | "clear",
  options: Partial<PhotinusServerOptions> = {},
): Promise<string> {
  const { files, secret } = kitOf(project, "hub");
  const { kit, tls } = await openHostKit(files, secret);
  const storage = await openStorage({ folder: await aFolder() }, { crypto });
  const clientRoot = pem("CERTIFICATE", kit.root.der);
  const server = new PhotinusServer(
    {
      kit: { ...kit, configuration: { ...kit.configuration, security: "tls" } },
      ...{ port: 0, ...options },
      ...(mode === "tls" ? { tls: { ...tls, clientRoot } } : {}),
    },
    { storage, clock, crypto, logger: silentLogger },
  );
  const { socketUrl } = await server.start();
  onTestFinished(async () => {
    await server.stop();
    await storage.close();
  });
  return socketUrl;
}

/** What a check said, each finding by its probe, and what it ended with. */
export interface Checked {
  readonly exit: number;
  readonly text: string;
  finding(probe: string): NamedFinding | undefined;
  outcomes(...probes: readonly string[]): readonly (string | undefined)[];
}

/** Runs `photinus check`. */
export async function checked(
  options: Partial<Parameters<typeof check>[0]> & { readonly kit: string },
  modules: { readonly clock?: Clock } = {},
): Promise<Checked> {
  const { texts, streams } = capturedStreams();
  const all = { proxy: "none", login: true, host: "127.0.0.1", port: 0, ...options };
  const context = {
    ...{ terminal: terminal({ isJson: true }, streams), signal: never },
    ...{ onHangup: () => undefined, pages: () => undefined },
  };
  const exit = await check(all, context, modules).then(
    () => 0,
    (error: unknown) => {
      if (error instanceof ReportedFailure) return error.exitCode;
      throw error;
    },
  );
  const { findings }: { readonly findings: readonly NamedFinding[] } = JSON.parse(texts.out);
  const finding = (probe: string) => findings.find((each) => each.probe === probe);
  const outcomes = (...probes: readonly string[]) => probes.map((probe) => finding(probe)?.outcome);
  return { exit, text: texts.err, finding, outcomes };
}
