import { readdir } from "node:fs/promises";
import { TrainingError } from "@photinus/core/errors";

/** A data set is described by `<name>.json` in the site's data folder. */
const DESCRIPTION = /^([a-z0-9][a-z0-9._-]{0,62})\.json$/;

/**
 * Names of the data sets that a folder describes, sorted.
 * @throws TrainingError `ERR_DATA_MISSING` when the folder cannot be read or describes none
 */
export async function dataNamesIn(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw new TrainingError("ERR_DATA_MISSING", `the data folder ${folder} cannot be read`, { cause });
  });
  const names = files.flatMap((file) => DESCRIPTION.exec(file)?.[1] ?? []);
  if (names.length === 0) {
    throw new TrainingError("ERR_DATA_MISSING", `${folder} describes no data set: it holds no <name>.json`);
  }
  return names.sort();
}
