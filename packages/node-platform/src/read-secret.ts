import { close, open, read } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { fromUtf8 } from "@photinus/core/bytes";
import { ProvisionError } from "@photinus/core/errors";

const readDescriptor = promisify(read);
const openFile = promisify(open);
const closeDescriptor = promisify(close);

/** No secret of a kit is longer. */
const MAX_SECRET_BYTES = 1024;

/** Pause before a descriptor that does not block is asked again, in ms. */
const RETRY_MS = 10;

/**
 * Reads the secret of a kit from a file descriptor that the parent process, a shell or systemd opened, up to the first
 * line break. Never from arguments or the environment, which other processes see.
 *
 * @param descriptor a file, pipe or socket that is open for reading; closed afterwards
 * @throws ProvisionError `ERR_KIT_UNREADABLE` when it is not open, empty, or longer than 1 KiB
 */
export async function readSecret(descriptor: number): Promise<string> {
  const buffer = new Uint8Array(MAX_SECRET_BYTES + 2);
  try {
    const [line = ""] = fromUtf8(buffer.subarray(0, await fill(descriptor, buffer))).split(/\r?\n/);
    if (line !== "" && line.length <= MAX_SECRET_BYTES) return line;
  } catch (cause) {
    throw unreadable(descriptor, "is not open for reading, or holds no text", cause);
  } finally {
    buffer.fill(0);
    await closeDescriptor(descriptor).catch(() => undefined); // not open: already told
  }
  throw unreadable(descriptor, `holds no secret of 1 to ${MAX_SECRET_BYTES} bytes`);
}

/**
 * Reads the secret of a kit from a file, such as systemd's LoadCredential makes.
 * @throws ProvisionError `ERR_KIT_UNREADABLE` when it cannot be read, is empty, or longer than 1 KiB
 */
export async function readSecretFile(path: string): Promise<string> {
  let descriptor: number;
  try {
    descriptor = await openFile(path, "r");
  } catch (cause) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", `${path} cannot be read`, { cause });
  }
  return readSecret(descriptor);
}

/** @returns bytes read: up to a line break, the end, or a full buffer */
async function fill(descriptor: number, buffer: Uint8Array): Promise<number> {
  let length = 0;
  while (length < buffer.length && !buffer.subarray(0, length).includes(10)) {
    const count = await readSome(descriptor, buffer.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return length;
}

async function readSome(descriptor: number, into: Uint8Array): Promise<number> {
  for (;;) {
    try {
      return (await readDescriptor(descriptor, into, 0, into.length, null)).bytesRead;
    } catch (error) {
      // A descriptor that the parent left without blocking has nothing to read yet.
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
      await setTimeout(RETRY_MS);
    }
  }
}

function unreadable(descriptor: number, detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError("ERR_KIT_UNREADABLE", `file descriptor ${descriptor} ${detail}`, { cause });
}
