import { mkdir, open, rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Finding, failed, ok, skipped, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

const MIB = 1_048_576;
/** Below this a checkpoint of a small model does not fit. */
const LEAST_BYTES = 64 * MIB;
/** Below this a person looks after it. */
const COMFORTABLE_BYTES = 1024 * MIB;

/** Can the state folder be written to, durably, and is there room? */
export const disk: Probe = {
  name: "disk",
  async run({ state }) {
    if (state === undefined) return skipped("name the folder that the server is started with by --state");
    try {
      await writeDurably(state);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return failed(
        "ERR_STORAGE_UNAVAILABLE",
        `${state} cannot be written: ${why}`,
        "Name a folder of this user on a disk with room, by --state.",
      );
    }
    const { bavail, bsize } = await statfs(state);
    return judgeRoom(state, bavail * bsize, (await stat(state)).mode);
  },
};

/** What the room and the mode of a state folder mean. */
export function judgeRoom(state: string, freeBytes: number, mode: number): Finding {
  const seen = `${state} written and flushed, ${Math.round(freeBytes / MIB)} MiB free`;
  if (freeBytes < LEAST_BYTES) {
    return failed("ERR_STORAGE_UNAVAILABLE", seen, "Free some space, or name another folder by --state.");
  }
  if ((mode & 0o077) !== 0) return warning(`${seen}; others may read it`, `Run chmod go= ${state}.`);
  return freeBytes < COMFORTABLE_BYTES
    ? warning(seen, "Free some space before models are kept there.")
    : ok(seen);
}

/** The folder is made when it is missing, as the program itself would. */
async function writeDurably(state: string): Promise<void> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const path = join(state, `.check-${process.pid}`);
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      await handle.writeFile(new Uint8Array(MIB));
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await rm(path, { force: true });
  }
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
