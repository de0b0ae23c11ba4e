import { readFile, stat } from "node:fs/promises";
import type { Bytes } from "@photinus/core/bytes";
import { HostError, TrainingError } from "@photinus/core/errors";
import { DEFAULT_MODEL_LIMITS } from "@photinus/training";

/**
 * Reads an ONNX file. Looks at the size first: a file above the limit is not read.
 * @throws TrainingError `ERR_MODEL_TOO_LARGE`; HostError `ERR_CONFIG_INVALID` when it cannot be read
 */
export async function readModelFile(path: string): Promise<Bytes> {
  try {
    const { size } = await stat(path);
    if (size > DEFAULT_MODEL_LIMITS.maxModelBytes) {
      throw new TrainingError("ERR_MODEL_TOO_LARGE", `the model has ${size} bytes`);
    }
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    if (cause instanceof TrainingError) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${path} cannot be read`, { cause });
  }
}
