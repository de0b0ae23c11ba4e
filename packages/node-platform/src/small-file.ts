import { constants } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Bytes, toBytes, toHex } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { nodeCrypto } from "./node-crypto.ts";

/**
 * Reads a plain file, not through a link.
 * @param maxBytes a larger one is refused
 * @throws HostError `ERR_CONFIG_INVALID`
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Bytes> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${path} is no plain file that can be read`, { cause });
  });
  try {
    const found = await handle.stat();
    if (!found.isFile() || found.size > maxBytes) {
      throw new HostError("ERR_CONFIG_INVALID", `${path} is no plain file of at most ${maxBytes} bytes`);
    }
    const buffer = new Uint8Array(found.size);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    return toBytes(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/**
 * Puts a file for its owner only in place of the one before, durably: whoever reads sees the old content or the new,
 * never a part. Its folder is made when it is missing.
 */
export async function replaceFile(path: string, content: Bytes): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const staging = join(folder, `.${basename(path)}.${toHex(nodeCrypto().randomBytes(8))}`);
  try {
    const handle = await open(staging, "wx", 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(staging, path);
  } catch (error) {
    await rm(staging, { force: true });
    throw error;
  }
  const parent = await open(folder, constants.O_RDONLY);
  try {
    await parent.sync(); // the new name lasts too
  } finally {
    await parent.close();
  }
}
