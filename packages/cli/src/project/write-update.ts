import { join } from "node:path";
import { encodePem } from "@photinus/core/pki";
import {
  encodeMachines,
  type KitFiles,
  LOCAL_MACHINES,
  LOCAL_REVOCATION_LIST,
  LOCAL_ROSTER,
  type ProjectUpdate,
} from "@photinus/core/provision";
import { replaceFile, writeKitFolder, writeKitZip } from "@photinus/node-platform";
import { exists, type Move, STAGED, writePrivate } from "./folder-change.ts";
import { changeProject, lineFile, PROJECT_FILE, type ProjectFolder } from "./project-folder.ts";

/** Kits to write by name; one whose keys the participant made has no secret. */
export type KitsToWrite = ReadonlyMap<string, { readonly files: KitFiles; readonly secret?: string }>;

/** Writes kits, their secrets and, where it is wished, their zip files. */
export async function writeKits(
  folder: string,
  kits: KitsToWrite,
  { zip = false }: { readonly zip?: boolean },
): Promise<void> {
  for (const [name, { files, secret }] of kits) {
    if (zip) await writePrivate(zipPath(folder, name), writeKitZip(name, files));
    await writeKitFolder(join(folder, PROJECT_FILE.kits, name), files);
    if (secret !== undefined) await writePrivate(join(folder, PROJECT_FILE.secrets, name), lineFile(secret));
  }
}

function zipPath(folder: string, name: string): string {
  return join(folder, PROJECT_FILE.zips, `${name}.zip`);
}

/** What a run issued, revoked and replaced. */
export type UpdateToWrite = Pick<
  ProjectUpdate,
  "replaced" | "removed" | "revocationList" | "machines" | "roster" | "state"
> & { readonly kits: KitsToWrite };

/** Writes what a run issued into the folder of the project: all of it, or nothing. */
export async function writeUpdate(
  project: ProjectFolder,
  update: UpdateToWrite,
  options: { readonly zip?: boolean },
): Promise<void> {
  const { kits, revocationList, machines, roster, state } = update;
  const moves: Move[] = await retirements(project.folder, update);
  for (const [name, { secret }] of kits) {
    const folders = secret === undefined ? [PROJECT_FILE.kits] : [PROJECT_FILE.kits, PROJECT_FILE.secrets];
    for (const folder of folders) {
      moves.push({ from: join(STAGED, folder, name), to: join(folder, name) });
    }
    // Its kit may be older than it: a zip file is only a copy to hand out.
    if (options.zip) moves.push({ from: zipPath(STAGED, name), to: zipPath("", name), replace: true });
  }
  for (const file of [PROJECT_FILE.machines, PROJECT_FILE.roster]) {
    moves.push({ from: join(STAGED, file), to: file, replace: true });
  }
  await changeProject(project, {
    state,
    ...(revocationList === undefined ? {} : { list: revocationList.der }),
    moves,
    async write(staging) {
      await writeKits(staging, kits, options);
      await writePrivate(join(staging, PROJECT_FILE.machines), encodeMachines(machines));
      await writePrivate(join(staging, PROJECT_FILE.roster), roster);
    },
  });
}

/** Kits that others replace and those of who is gone are moved, not deleted: a host may be running from them. */
async function retirements(folder: string, { replaced, removed }: UpdateToWrite): Promise<Move[]> {
  const moves: Move[] = [];
  for (const [name, kitId] of [...replaced, ...removed]) {
    const parts = [
      [PROJECT_FILE.kits, join(PROJECT_FILE.superseded, `${name}-${kitId}`)],
      [PROJECT_FILE.secrets, join(PROJECT_FILE.superseded, `${name}-${kitId}.secret`)],
    ] as const;
    for (const [place, to] of parts) {
      // What is not there now must not be looked for again after an interruption: by then the new one lies there.
      if (await exists(join(folder, place, name))) moves.push({ from: join(place, name), to });
    }
  }
  return moves;
}

/** The server that runs on this machine takes both within a second, or at its next start. */
export async function informServer(
  kit: string | undefined,
  { revocationList, machines, roster }: Pick<ProjectUpdate, "revocationList" | "machines" | "roster">,
): Promise<void> {
  if (kit === undefined) return;
  await replaceFile(join(kit, LOCAL_MACHINES), encodeMachines(machines));
  await replaceFile(join(kit, LOCAL_ROSTER), roster);
  if (revocationList === undefined) return;
  await replaceFile(join(kit, LOCAL_REVOCATION_LIST), encodePem("X509 CRL", revocationList.der));
}
