import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TrainingError } from "@photinus/core/errors";
import {
  type ByteSource,
  type DataDescription,
  type DataFiles,
  type DataSource,
  describedData,
  parseDataDescription,
} from "@photinus/training";

/** The data that lies in a site's folder, each set described by `<name>.json`. */
export function folderData(folder: string): DataSource {
  return async (dataName) => describedData(await describe(folder, dataName), filesOf(folder));
}

/** A data name comes from a job, so from a stranger: it must not lead out of the folder. */
const DATA_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const MAX_DESCRIPTION_BYTES = 65_536;

/** Most files of one folder of pictures. */
const MAX_FILES = 2 ** 20;

async function describe(folder: string, dataName: string): Promise<DataDescription> {
  if (!DATA_NAME.test(dataName))
    throw new TrainingError("ERR_DATA_MISSING", "no data set can have that name");
  const file = `${dataName}.json`;
  const source = openFile(join(folder, file));
  const json = new Uint8Array(Math.min(source.byteLength, MAX_DESCRIPTION_BYTES + 1));
  source.read(0, json);
  return parseDataDescription(json, file);
}

function filesOf(folder: string): DataFiles {
  return {
    open: async (file) => openFile(resolve(folder, file)),
    list: async (inside) => {
      const path = resolve(folder, inside);
      const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) =>
        missing(path, cause),
      );
      const names = entries.flatMap((entry) =>
        entry.isDirectory() || entry.name.startsWith(".") ? [] : [entry.name],
      );
      if (names.length > MAX_FILES) {
        throw new TrainingError("ERR_DATA_MALFORMED", `${path} has more than ${MAX_FILES} files`);
      }
      return names.toSorted();
    },
  };
}

/** A file that is opened for each piece, so that nothing stays open for as long as a site lives. */
function openFile(path: string): ByteSource {
  const byteLength = withFile(path, (descriptor) => fstatSync(descriptor).size);
  const read: ByteSource["read"] = (at, into) => {
    withFile(path, (descriptor) => {
      for (let done = 0; done < into.byteLength; ) {
        const count = readSync(descriptor, into, done, into.byteLength - done, at + done);
        if (count === 0) throw new RangeError("it has become shorter");
        done += count;
      }
    });
  };
  return { byteLength, read };
}

function withFile<T>(path: string, use: (descriptor: number) => T): T {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    return use(descriptor);
  } catch (cause) {
    return missing(path, cause);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function missing(path: string, cause: unknown): never {
  throw new TrainingError("ERR_DATA_MISSING", `${path} cannot be read`, { cause });
}
