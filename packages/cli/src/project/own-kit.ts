import { join } from "node:path";
import { ProvisionError } from "@photinus/core/errors";
import { KIT_FILE, type KitFiles, LOCAL_FOLDER } from "@photinus/core/provision";
import { readKitFolder, writeKitFolder } from "@photinus/node-platform";
import { changeFolder, exists, finishChange, type Move, STAGED } from "./folder-change.ts";

/** In `local/`, where no reader of a kit looks: what was not decided yet is in nobody's way. */
const PLACE = join(LOCAL_FOLDER, STAGED);

/** How a participant's own folder is to change. */
export interface OwnKitChange {
  /** Files that are put into it, each in place of the one before. */
  readonly put: KitFiles;
  /** The folder as it was read: it is changed only while its key is that one. */
  readonly before: KitFiles;
  /** Names of files that no longer belong to it; none by default. */
  readonly drop?: readonly string[];
}

/**
 * Ends a change of a folder that was interrupted once it was decided. What is no folder is left alone.
 * @throws ProvisionError `ERR_KIT_UNREADABLE`
 */
export async function finishOwnKit(folder: string): Promise<void> {
  if (!(await exists(join(folder, PLACE)))) return;
  await finishChange(folder, PLACE).catch((cause: unknown) => {
    const text = `${folder}: a change of it was interrupted, and cannot be ended`;
    throw new ProvisionError("ERR_KIT_UNREADABLE", text, { cause });
  });
}

/**
 * Reads the kit of this machine's participant, after what an interrupted change of it left to do.
 * @throws ProvisionError `ERR_KIT_UNREADABLE`
 */
export async function readOwnKit(folder: string): Promise<KitFiles> {
  await finishOwnKit(folder);
  return await readKitFolder(folder);
}

/**
 * Changes the files of a participant's own folder: all of them or none, whenever it is interrupted. `local/` stays.
 * @throws HostError `ERR_CONFIG_INVALID` when somebody else changed the folder meanwhile
 */
export async function changeOwnKit(folder: string, { put, before, drop = [] }: OwnKitChange): Promise<void> {
  const moves: readonly Move[] = [
    ...drop.map((name) => ({ from: name, to: join(PLACE, "before", name) })),
    ...[...put.keys()].map((name) => ({ from: join(PLACE, "kit", name), to: name, replace: true })),
  ];
  const unchanged = { path: KIT_FILE.key, content: before.get(KIT_FILE.key) ?? new Uint8Array(0) };
  const write = (staging: string) => writeKitFolder(join(staging, "kit"), put);
  await changeFolder(folder, { write, moves, unchanged }, PLACE);
}
