import { join } from "node:path";
import { toHex } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import {
  certificatesFromPem,
  decodePem,
  openPrivateKey,
  parseCertificate,
  signAbroad,
} from "@photinus/core/pki";
import {
  createProject,
  encodeProjectState,
  endOfEnrolment,
  KIT_FILE,
  openKit,
  type ProjectDefinition,
  type ProjectUpdate,
  type ProvisionedProject,
  type ServerKeys,
  updateProject,
} from "@photinus/core/provision";
import { nodeCrypto, readKitFolder, readSecretFile, systemClock } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import { counted, listed } from "../counted.ts";
import { createFolder, exists, STAGED, writePrivate } from "../project/folder-change.ts";
import {
  chosenSecret,
  lineFile,
  openProjectFolder,
  openRoot,
  PROJECT_FILE,
  type ProjectFolder,
  type RootKeyOptions,
  signerOf,
} from "../project/project-folder.ts";
import { readProjectDefinition } from "../project/read-definition.ts";
import { signerCommand } from "../project/signer-command.ts";
import { informServer, writeKits, writeUpdate } from "../project/write-update.ts";

/** Options of `photinus provision`. */
export interface ProvisionOptions extends RootKeyOptions {
  /** `project.yml`, where it is not the argument. */
  readonly project?: string;
  /** Folder of the project: made, or brought in step with the definition. */
  readonly out: string;
  /** Makes a zip file of each new kit too. */
  readonly zip?: boolean;
  /** Names that get a new kit though nothing changed. */
  readonly renew?: readonly string[];
  /** The server may begin with new keys. */
  readonly newServerKeys?: boolean;
  /** Kit folder of the server, when it is on this machine: list and machines are put where it looks. */
  readonly kit?: string;
}

/**
 * Makes a project from its definition, or brings one in step with it: a kit per participant that is new or changed, and
 * apart from them the secrets that open them; who is gone is revoked.
 *
 * @param file `project.yml`
 * @throws ProvisionError `ERR_PROJECT_INVALID`, `ERR_SERVER_KEYS_MISSING`; HostError `ERR_CONFIG_INVALID`
 */
export async function provision(
  file: string | undefined,
  options: ProvisionOptions,
  context: CommandContext,
): Promise<void> {
  const named = file ?? options.project;
  if (named === undefined) throw new HostError("ERR_CONFIG_INVALID", "name the definition: project.yml");
  const definition = await readProjectDefinition(named);
  const isThere = await isProject(options.out);
  await (isThere ? bringInStep : makeProject)(definition, options, context);
}

async function isProject(folder: string): Promise<boolean> {
  return (await exists(join(folder, PROJECT_FILE.root))) || (await exists(join(folder, STAGED)));
}

async function makeProject(
  definition: ProjectDefinition,
  options: ProvisionOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const { out } = options;
  const command = signerOf(options);
  const abroad = command === undefined ? undefined : signAbroad(await signerCommand(command), nodeCrypto());
  const rootPassphrase = abroad === undefined ? await chosenSecret(options) : undefined;
  const project = await createProject(
    definition,
    { crypto: abroad?.crypto ?? nodeCrypto(), clock: systemClock() },
    {
      ...(abroad === undefined ? {} : { rootKey: abroad.key }),
      ...(rootPassphrase === undefined ? {} : { rootPassphrase }),
    },
  );
  await createFolder(out, (staging) => writeProject(staging, project, options));
  const fingerprint = toHex(project.root.fingerprint);
  terminal.line(
    `Project ${definition.name}: ${counted(project.kits.size, "kit")} in ${join(out, PROJECT_FILE.kits)}`,
  );
  terminal.line(`Root fingerprint: ${fingerprint}`);
  terminal.line(`Hand out each kit and, by another way, its secret from ${join(out, PROJECT_FILE.secrets)}.`);
  tellWaiting(project.waiting, terminal);
  if (project.root.secret !== undefined) {
    terminal.line(`Keep ${join(out, "root")} and ${PROJECT_FILE.rootSecret} offline.`);
  }
  terminal.result({
    project: definition.name,
    kits: [...project.kits.keys()],
    waiting: project.waiting,
    rootFingerprint: fingerprint,
  });
}

async function writeProject(
  folder: string,
  { root, kits, state }: ProvisionedProject,
  options: ProvisionOptions,
): Promise<void> {
  await writeKits(folder, kits, options);
  await writePrivate(join(folder, PROJECT_FILE.root), root.certificatePem);
  await writePrivate(join(folder, PROJECT_FILE.list), root.revocationListPem);
  await writePrivate(join(folder, PROJECT_FILE.state), encodeProjectState(state));
  if (root.keyPem !== undefined) await writePrivate(join(folder, PROJECT_FILE.rootKey), root.keyPem);
  if (root.secret !== undefined) {
    await writePrivate(join(folder, PROJECT_FILE.rootSecret), lineFile(root.secret));
  }
}

async function bringInStep(
  definition: ProjectDefinition,
  options: ProvisionOptions,
  context: CommandContext,
): Promise<void> {
  const folder = await openProjectFolder(options.out);
  const { issuer, crypto } = await openRoot(folder, options);
  const update = await updateProject(
    definition,
    { root: issuer, latest: folder.latest, state: folder.state, server: () => serverKeysOf(folder) },
    { crypto, clock: systemClock() },
    { renew: options.renew ?? [], newServerKeys: options.newServerKeys ?? false },
  );
  await writeUpdate(folder, update, options);
  await informServer(options.kit, update);
  report(update, { definition, options, context, fingerprint: toHex(folder.root.digest) });
  await tellEnrolment(join(options.out, PROJECT_FILE.kits, definition.server.name), context.terminal);
}

/** What a server's next kit goes on with, when its present one and its secret lie in the project's folder. */
async function serverKeysOf({ folder, state }: ProjectFolder): Promise<ServerKeys | undefined> {
  const server = state.participants.find(({ role, removed }) => role === "server" && !removed);
  if (server === undefined) return undefined;
  const kitFolder = join(folder, PROJECT_FILE.kits, server.name);
  const secretFile = join(folder, PROJECT_FILE.secrets, server.name);
  if (!(await exists(kitFolder)) || !(await exists(secretFile))) return undefined;
  const crypto = nodeCrypto();
  const [files, secret] = await Promise.all([readKitFolder(kitFolder), readSecretFile(secretFile)]);
  // An expired kit is what is being replaced: its files count as long as the project signed them.
  const nowMs = Math.min(Date.now(), server.certificates.at(-1)?.notAfterMs ?? 0);
  const { storageKey, enrolment } = await openKit(files, { nowMs, secret }, { crypto });
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", files.get(KIT_FILE.enrolmentKey) ?? new Uint8Array(0));
  const [der] = certificatesFromPem(files.get(KIT_FILE.enrolmentCertificate) ?? new Uint8Array(0));
  if (storageKey === undefined || enrolment === undefined || sealed === undefined || der === undefined) {
    return undefined;
  }
  const certificate = await parseCertificate(der, { crypto });
  return {
    storageKey,
    enrolment: { certificate, pkcs8: await openPrivateKey(sealed, secret, { crypto }) },
  };
}

interface Report {
  readonly definition: ProjectDefinition;
  readonly options: ProvisionOptions;
  readonly context: CommandContext;
  readonly fingerprint: string;
}

function report(update: ProjectUpdate, { definition, options, context, fingerprint }: Report): void {
  const { terminal } = context;
  const { kits, removed, blocked, revocationList } = update;
  const names = [...kits.keys()];
  terminal.line(
    `Project ${definition.name}: ${counted(names.length, "new kit")}${listed(names)}; all others stay valid.`,
  );
  tellWaiting(update.waiting, terminal);
  if (removed.size > 0)
    terminal.line(`Revoked, for the definition has them no more${listed([...removed.keys()])}`);
  if (blocked.length > 0) {
    terminal.line(`Revoked, and they stay so: --renew gives them a kit again${listed(blocked)}`);
  }
  if (options.kit === undefined && !kits.has(definition.server.name)) {
    const lists = revocationList === undefined ? [] : [PROJECT_FILE.list];
    const changed = [PROJECT_FILE.machines, PROJECT_FILE.roster, ...lists];
    terminal.line(`Copy ${changed.join(", ")} of ${options.out} to local/ in the server's kit.`);
  }
  terminal.result({
    project: definition.name,
    kits: names,
    removed: [...removed.keys()],
    blocked,
    waiting: update.waiting,
    ...(revocationList === undefined ? {} : { revocationList: revocationList.number }),
    rootFingerprint: fingerprint,
  });
}

/** Where the server's kit lies in the project's folder, it tells how long pages can join. */
async function tellEnrolment(kit: string, terminal: CommandContext["terminal"]): Promise<void> {
  if (!(await exists(join(kit, KIT_FILE.enrolmentCertificate)))) return;
  const pem = (await readKitFolder(kit)).get(KIT_FILE.enrolmentCertificate) ?? new Uint8Array(0);
  for (const der of certificatesFromPem(pem)) {
    const end = endOfEnrolment(await parseCertificate(der, { crypto: nodeCrypto() }), Date.now());
    if (end !== undefined) terminal.line(`${end.seen}. ${end.remedy}`);
  }
}

function tellWaiting(names: readonly string[], terminal: CommandContext["terminal"]): void {
  if (names.length === 0) return;
  terminal.line(`No kit yet, for a request is waited for (photinus cert request, cert sign)${listed(names)}`);
}
