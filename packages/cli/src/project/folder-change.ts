import { lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type Bytes, equalBytes, fromUtf8, toBytes, toHex, utf8 } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { nodeCrypto, readSmallFile } from "@photinus/node-platform";
import * as v from "valibot";

/** A name inside the folder that takes the place of another. */
export interface Move {
  /** Path inside the folder. */
  readonly from: string;
  /** Path inside the folder. */
  readonly to: string;
  /** True for a file that replaces the one before; else nothing may lie there. */
  readonly replace?: boolean;
}

/** How a folder is to change. */
export interface FolderChange {
  /** Writes what is new below a path that lies inside the folder. */
  readonly write: (staging: string) => Promise<void>;
  /** What then takes its place, in order; what was written lies below {@link STAGED}, or the place that was named instead. */
  readonly moves: readonly Move[];
  /** A file, and what it holds as long as nobody else has changed the folder. */
  readonly unchanged: { readonly path: string; readonly content: Bytes };
}

/** Folder that a change goes through, as `moves` name it, where no other is named. */
export const STAGED = ".change";

const MOVES = "moves.json";
/** Those of 20 000 participants, and more. */
const MAX_MOVES_BYTES = 64 * 1_048_576;
const MovesSchema = v.pipe(
  v.array(
    v.strictObject({
      from: v.pipe(v.string(), v.maxLength(512)),
      to: v.pipe(v.string(), v.maxLength(512)),
      replace: v.exactOptional(v.boolean()),
    }),
  ),
  v.maxLength(200_000),
);

/**
 * Makes a folder for its owner only: it appears complete, or not at all.
 * @throws HostError `ERR_CONFIG_INVALID` when it exists and is not empty
 */
export async function createFolder(folder: string, write: (staging: string) => Promise<void>): Promise<void> {
  const parent = dirname(resolve(folder));
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent, `.${basename(folder)}.new-`);
  const staging = join(parent, `.${basename(folder)}.new-${randomName()}`);
  await mkdir(staging, { mode: 0o700 });
  try {
    await write(staging);
    await rename(staging, folder);
  } catch (cause) {
    await rm(staging, { recursive: true, force: true });
    const isTaken =
      cause instanceof Error &&
      "code" in cause &&
      ["ENOTEMPTY", "EEXIST", "ENOTDIR"].includes(String(cause.code));
    if (!isTaken) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${folder} exists already, and is not empty`, { cause });
  }
}

/**
 * Changes a folder as a whole: everything new is written apart first, then one rename decides, and what is left to do after
 * it a later call of {@link finishChange} does too. A failure or a kill before that rename changes nothing.
 *
 * @param place folder inside the folder that the change goes through; what is around it exists
 * @throws HostError `ERR_CONFIG_INVALID` when somebody else changed the folder meanwhile
 */
export async function changeFolder(
  folder: string,
  { write, moves, unchanged }: FolderChange,
  place: string = STAGED,
): Promise<void> {
  const staging = join(folder, `${place}-${randomName()}`);
  await mkdir(staging, { mode: 0o700 });
  try {
    await write(staging);
    await writePrivate(join(staging, MOVES), JSON.stringify(moves));
    await requireUnchanged(folder, unchanged);
    await decide(folder, { staging, place });
  } catch (cause) {
    await rm(staging, { recursive: true, force: true });
    throw cause;
  }
  await finishChange(folder, place);
}

async function requireUnchanged(folder: string, { path, content }: FolderChange["unchanged"]): Promise<void> {
  if (!equalBytes(toBytes(await readFile(join(folder, path))), content)) throw changedMeanwhile(folder);
}

/** From the rename on the change has happened. */
async function decide(
  folder: string,
  { staging, place }: { readonly staging: string; readonly place: string },
): Promise<void> {
  try {
    await rename(staging, join(folder, place));
  } catch {
    throw changedMeanwhile(folder); // another change lies there
  }
}

function changedMeanwhile(folder: string): HostError {
  return new HostError("ERR_CONFIG_INVALID", `${folder} was changed meanwhile: run it again`);
}

/**
 * Ends a change that was interrupted after it was decided, and drops what was never decided. Two may end it at once.
 * @param place folder that the change goes through
 * @throws HostError `ERR_CONFIG_INVALID` when its list of moves cannot be read
 */
export async function finishChange(folder: string, place: string = STAGED): Promise<void> {
  const staged = join(folder, place);
  for (const move of await decidedMoves(folder, place)) await applyMove(folder, move);
  await rm(staged, { recursive: true, force: true });
  await removeLeftovers(dirname(staged), `${basename(staged)}-`);
}

/**
 * What a change that was decided still has to move, as its list says; nothing where there is none.
 * @throws HostError `ERR_CONFIG_INVALID` when the list cannot be read
 */
export async function decidedMoves(folder: string, place: string): Promise<readonly Move[]> {
  const list = join(folder, place, MOVES);
  // It goes with the rest, once all moves are done: without it there is nothing left to move.
  if (!(await exists(list))) return [];
  try {
    return v.parse(MovesSchema, JSON.parse(fromUtf8(await readSmallFile(list, MAX_MOVES_BYTES))));
  } catch (cause) {
    if (!(await exists(list))) return []; // another process has ended the change
    throw new HostError("ERR_CONFIG_INVALID", `${list} cannot be read`, { cause });
  }
}

/** Done twice it is done once: what has moved is no longer there, and what has arrived is not moved over. */
async function applyMove(folder: string, { from, to, replace = false }: Move): Promise<void> {
  const [source, target] = [join(folder, from), join(folder, to)];
  if (!(await exists(source)) || (!replace && (await exists(target)))) return;
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    await rename(source, target);
  } catch (cause) {
    if (await exists(source)) throw cause; // else another process that ends the same change has moved it
  }
}

async function removeLeftovers(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const isLeftover = name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length));
    if (isLeftover) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Writes a file for its owner only, durably; its folder is made when it is missing. */
export async function writePrivate(path: string, content: Bytes | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(typeof content === "string" ? utf8(content) : content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** True when something lies at a path. */
export async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

function randomName(): string {
  return toHex(nodeCrypto().randomBytes(8));
}
