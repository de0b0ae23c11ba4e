import { mkdir, rm, stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { StorageError } from "@photinus/core/errors";

/** A folder that no other process uses until {@link FolderLock.release}, or the end of this one. */
export interface FolderLock {
  /** Gives it up; idempotent. */
  release(): Promise<void>;
}

/**
 * Locks a folder for this process; it is made when it is missing. The operating system holds the lock and gives it up however the
 * process ends, so that none is left behind: a local socket named after the folder's place on its disk (Linux, Windows), or
 * `lock.sock` in it (elsewhere).
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when another process has it
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { dev, ino } = await stat(folder, { bigint: true });
  const name = `photinus-state-${dev}-${ino}`;
  if (process.platform === "linux") return await listen(`\0${name}`, folder);
  if (process.platform === "win32") return await listen(`\\\\.\\pipe\\${name}`, folder);
  const path = join(folder, "lock.sock");
  if (!(await answers(path))) await rm(path, { force: true }); // a process that is gone left its name
  return await listen(path, folder);
}

async function listen(address: string, folder: string): Promise<FolderLock> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen({ path: address }, resolve);
    });
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", `another process uses ${folder}`, { cause });
  }
  server.unref();
  return { release: () => close(server) };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

async function answers(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy()).unref();
  });
}
