import { rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "@photinus/core/errors";
import type { KeptKind, ParameterStore } from "@photinus/core/site";
import { readSmallFile, replaceFile } from "@photinus/node-platform";

/** A model has at most as many bytes: where WASM memory ends. */
const MAX_BYTES = 2 ** 32;

/**
 * Keeps what a site has of its jobs beside the shared models as files of a folder, `<job>.<kind>.f32`: the packed tensors of the
 * job's parameter table. A file changes as a whole, and is on the disk when the call resolves.
 *
 * @param folder of one site; made with the first file
 */
export function parameterFolder(folder: string): ParameterStore {
  const fileOf = (jobId: string, kind: KeptKind): string => join(folder, `${jobId}.${kind}.f32`);
  return {
    async read(jobId, kind) {
      try {
        return await readSmallFile(fileOf(jobId, kind), MAX_BYTES);
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw fault("ERR_STORAGE_CORRUPT", `what is kept of job ${jobId} cannot be read`, cause);
      }
    },
    async write(jobId, kind, parameters) {
      try {
        await replaceFile(fileOf(jobId, kind), parameters);
      } catch (cause) {
        throw fault("ERR_STORAGE_UNAVAILABLE", `what is kept of job ${jobId} cannot be written`, cause);
      }
    },
    async delete(jobId, kind) {
      try {
        await rm(fileOf(jobId, kind), { force: true });
      } catch (cause) {
        throw fault("ERR_STORAGE_UNAVAILABLE", `what is kept of job ${jobId} cannot be removed`, cause);
      }
    },
  };
}

function fault(
  code: "ERR_STORAGE_CORRUPT" | "ERR_STORAGE_UNAVAILABLE",
  message: string,
  cause: unknown,
): StorageError {
  return new StorageError(code, message, { cause });
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
