import { mkdir, open } from "node:fs/promises";

/** Makes a folder that only this user may read. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Makes an empty file that only this user may read; an existing one stays as it is. */
export async function touchPrivateFile(path: string): Promise<void> {
  const file = await open(path, "a", 0o600);
  await file.close();
}

/** Writes names of the folder to disk: a rename is durable only after this. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there; NTFS journals names by itself
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
