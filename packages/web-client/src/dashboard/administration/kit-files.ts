import { type Bytes, toBytes } from "@photinus/core/bytes";
import { ProvisionError } from "@photinus/core/errors";
import {
  KIT_LIMITS,
  type KitFiles,
  LOCAL_FOLDER,
  MAX_KIT_ZIP_BYTES,
  readKitZip,
} from "@photinus/core/provision";

/** A file that somebody picked or dropped, and where it lies in its folder. */
export interface PickedFile {
  /** Path inside the folder of the kit, or the name alone. */
  readonly path: string;
  readonly file: File;
}

/** Entries that are looked at in a dropped folder; a kit has fewer. */
const MOST_ENTRIES: number = 4 * KIT_LIMITS.files;

/** Files of an `<input type="file">`; a picked folder's own name is not part of the paths. */
export function pickedFiles(files: Iterable<File>): readonly PickedFile[] {
  return [...files].map((file) => {
    const { name, webkitRelativePath: path } = file;
    return { path: path === "" ? name : path.slice(path.indexOf("/") + 1), file };
  });
}

/**
 * Files that were dropped, and those of a folder that was dropped. Called while the drop is handled: afterwards a browser
 * hands nothing out.
 * @throws ProvisionError `ERR_KIT_UNREADABLE` for folders that no kit has, and what cannot be read
 */
export async function droppedFiles({ items }: DataTransfer): Promise<readonly PickedFile[]> {
  const dropped = [...items].filter(({ kind }) => kind === "file");
  if (dropped.length > MOST_ENTRIES) throw unreadable("more files than a kit has");
  const entries = dropped.flatMap((item) => item.webkitGetAsEntry() ?? []);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && isFolder(only)) return await filesOfFolder(only);
  return await filesOf(entries);
}

/**
 * The files of a kit without what is local: from its zip file, or from all of them.
 * @throws ProvisionError `ERR_KIT_UNREADABLE` for what no kit holds, before anything of it is read
 */
export async function readKitFiles(picked: readonly PickedFile[]): Promise<KitFiles> {
  const [only] = picked;
  if (picked.length === 1 && only !== undefined && /\.zip$/i.test(only.path)) {
    if (only.file.size > MAX_KIT_ZIP_BYTES) throw unreadable("a zip file larger than a kit's");
    return await readKitZip(await bytesOf(only.file));
  }
  const own = picked.filter(({ path }) => !path.startsWith(LOCAL_FOLDER));
  if (own.length > KIT_LIMITS.files) throw unreadable(`more than ${KIT_LIMITS.files} files`);
  const files = new Map<string, Bytes>();
  for (const { path, file } of own) {
    if (path.includes("/")) throw unreadable(`${path} lies in a folder that no kit has`);
    if (file.size > KIT_LIMITS.fileBytes) throw unreadable(`${path} is larger than 1 MiB`);
    if (files.has(path)) throw unreadable(`${path} occurs twice`);
    files.set(path, await bytesOf(file));
  }
  return files;
}

async function filesOfFolder(folder: FileSystemDirectoryEntry): Promise<readonly PickedFile[]> {
  const reader = folder.createReader();
  const entries: FileSystemEntry[] = [];
  // A browser gives a hundred at a time, and none at the end.
  for (;;) {
    const next = await new Promise<readonly FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (next.length === 0) return await filesOf(entries.filter(({ name }) => `${name}/` !== LOCAL_FOLDER));
    entries.push(...next);
    if (entries.length > MOST_ENTRIES) throw unreadable("more files than a kit has");
  }
}

async function filesOf(entries: readonly FileSystemEntry[]): Promise<readonly PickedFile[]> {
  return await Promise.all(
    entries.map(async (entry) => {
      if (!isFile(entry)) throw unreadable(`${entry.name} is a folder that no kit has`);
      const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject)).catch(
        (cause: unknown) => {
          throw unreadable(`${entry.name} cannot be read`, cause);
        },
      );
      return { path: entry.name, file };
    }),
  );
}

function isFolder(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

const bytesOf = async (file: File): Promise<Bytes> => toBytes(await file.arrayBuffer());

function unreadable(detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError("ERR_KIT_UNREADABLE", detail, { cause });
}
