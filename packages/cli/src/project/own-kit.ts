import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { ProvisionError } from "@photinus/core/errors";
import { KIT_FILE, type KitFiles, LOCAL_FOLDER } from "@photinus/core/provision";
import { readKitFolder, writeKitFolder } from "@photinus/node-platform";
import { changeFolder, decidedMoves, exists, finishChange, type Move, STAGED } from "./folder-change.ts";

/** In `local/`, where no reader of a kit looks: what was not decided yet is in nobody's way. */
const PLACE = join(LOCAL_FOLDER, STAGED);
/** What is put, and where what it replaces goes. */
const [NEW, BEFORE] = [join(PLACE, "kit"), join(PLACE, "before")];

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
 * Ends a change of a folder that was interrupted once it was decided. A folder may have come from somebody else, with whatever
 * lies in its `local/`: nothing is moved but files of the kit, inside the folder, and through no link.
 *
 * @throws ProvisionError `ERR_KIT_UNREADABLE` when it is no change of this kind, or cannot be ended
 */
export async function finishOwnKit(folder: string): Promise<void> {
  if (!(await exists(join(folder, PLACE)))) return;
  try {
    await requireRealFolders(folder);
    const foreign = (await decidedMoves(folder, PLACE)).find((move) => !isOfKit(move));
    if (foreign !== undefined) throw new RangeError(`${foreign.from} is moved to ${foreign.to}`);
    await finishChange(folder, PLACE);
  } catch (cause) {
    const text = `${join(folder, PLACE)}: left by an interruption, and cannot be ended`;
    throw new ProvisionError("ERR_KIT_UNREADABLE", text, { cause });
  }
}

function isOfKit({ from, to, replace }: Move): boolean {
  const name = basename(from);
  if (!/^[a-z0-9][a-z0-9.-]{0,62}$/.test(name)) return false;
  const isPut = from === join(NEW, name) && to === name && replace === true;
  return isPut || (from === name && to === join(BEFORE, name));
}

/** A link in the place of one of them would lead what is moved elsewhere. @throws RangeError */
async function requireRealFolders(folder: string): Promise<void> {
  for (const path of [LOCAL_FOLDER, PLACE, NEW, BEFORE].map((each) => join(folder, each))) {
    const isReal = await lstat(path).then(
      (found) => found.isDirectory(),
      (cause: unknown) => cause instanceof Error && "code" in cause && cause.code === "ENOENT",
    );
    if (!isReal) throw new RangeError(`${path} is no folder`);
  }
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
    ...drop.map((name) => ({ from: name, to: join(BEFORE, name) })),
    ...[...put.keys()].map((name) => ({ from: join(NEW, name), to: name, replace: true })),
  ];
  const unchanged = { path: KIT_FILE.key, content: before.get(KIT_FILE.key) ?? new Uint8Array(0) };
  const write = (staging: string) => writeKitFolder(join(staging, "kit"), put);
  await requireRealFolders(folder);
  await changeFolder(folder, { write, moves, unchanged }, PLACE);
}
