import { readFile, stat } from "node:fs/promises";
import type { Bytes } from "@photinus/core/bytes";
import { HostError, PhotinusError, TrainingError } from "@photinus/core/errors";
import { DEFAULT_MODEL_LIMITS } from "@photinus/training";

/**
 * Reads an ONNX file, which may be a link. Looks at it first: one above the limit is not read, nor what has no size, such as
 * a device that another person's job names.
 * @throws TrainingError `ERR_MODEL_TOO_LARGE`; HostError `ERR_CONFIG_INVALID` when it cannot be read
 */
export async function readModelFile(path: string): Promise<Bytes> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new HostError("ERR_CONFIG_INVALID", `${path} is no plain file`);
    const { size } = found;
    if (size > DEFAULT_MODEL_LIMITS.maxModelBytes) {
      throw new TrainingError("ERR_MODEL_TOO_LARGE", `the model has ${size} bytes`);
    }
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if (cause instanceof PhotinusError) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${path} cannot be read`, { cause });
  }
}
