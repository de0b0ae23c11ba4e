import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, toHex } from "@photinus/core/bytes";
import { HostError, ProvisionError } from "@photinus/core/errors";
import { createProject, type ProvisionedProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock, writeKitFolder } from "@photinus/node-platform";
import { LineCounter, parseDocument } from "yaml";
import type { CommandContext } from "../context.ts";

/** Options of `photinus provision`. */
export interface ProvisionOptions {
  /** `project.yml` */
  readonly project: string;
  /** Folder to make. */
  readonly out: string;
}

/** No definition is larger. */
const MAX_DEFINITION_BYTES = 4 * 1_048_576;

async function readDefinition(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${file} cannot be read`, { cause });
  });
  if (text.length > MAX_DEFINITION_BYTES) throw new HostError("ERR_CONFIG_INVALID", `${file} is too large`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new ProvisionError(
      "ERR_PROJECT_INVALID",
      `${file}:${line}:${col} ${problem.message.split("\n")[0]}`,
    );
  }
  // Aliases may multiply without end: a definition needs none.
  return document.toJS({ maxAliasCount: 0 });
}

async function writePrivate(path: string, content: Bytes | string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

async function writeProject(folder: string, { root, kits }: ProvisionedProject): Promise<void> {
  const secrets = join(folder, "secrets");
  await mkdir(secrets, { mode: 0o700 });
  for (const [name, kit] of kits) {
    await writeKitFolder(join(folder, "kits", name), kit.files);
    await writePrivate(join(secrets, name), `${kit.secret}\n`);
  }
  await mkdir(join(folder, "root"), { mode: 0o700 });
  await writePrivate(join(folder, "root", "root.pem"), root.certificatePem);
  await writePrivate(join(folder, "root", "root-key.pem"), root.keyPem);
  await writePrivate(join(folder, "root", "root.crl"), root.revocationListPem);
  if (root.secret !== undefined) await writePrivate(join(secrets, "root-key"), `${root.secret}\n`);
}

/**
 * Makes a project from its definition: one kit per participant, and apart from them the secrets that open them.
 * @throws ProvisionError `ERR_PROJECT_INVALID`, HostError `ERR_CONFIG_INVALID` when the folder exists
 */
export async function provision(
  { project: file, out }: ProvisionOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const project = await createProject(await readDefinition(file), {
    crypto: nodeCrypto(),
    clock: systemClock(),
  });
  await mkdir(out, { mode: 0o700 }).catch((cause: unknown) => {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `${out} cannot be made: a project is never written over another`,
      {
        cause,
      },
    );
  });
  await writeProject(out, project);
  const fingerprint = toHex(project.root.fingerprint);
  terminal.line(`Project ${project.definition.name}: ${project.kits.size} kits in ${join(out, "kits")}`);
  terminal.line(`Root fingerprint: ${fingerprint}`);
  terminal.line(`Hand out each kit and, by another way, its secret from ${join(out, "secrets")}.`);
  terminal.line(`Keep ${join(out, "root")} and secrets/root-key offline.`);
  terminal.result({
    project: project.definition.name,
    kits: [...project.kits.keys()],
    rootFingerprint: fingerprint,
  });
}
