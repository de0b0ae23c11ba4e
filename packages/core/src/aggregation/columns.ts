import { LONGEST_ROW } from "../kernels/index.ts";
import type { HeldUpdates } from "./held-updates.ts";

/** Floats that are read ahead of all updates together, 16 MiB; of many updates at least one record each. */
const READ_FLOATS = 4_194_304;
/** Floats of all updates together that rules work on at once, 4 MiB; of many updates at least one record each. */
const WORK_FLOATS = 1_048_576;
/** Floats of one update that are read at once: 512 KiB. */
const MOST_READ_FLOATS = 131_072;

/** The same coordinates of several updates. */
export interface Columns {
  /** Index of the first coordinate. */
  readonly start: number;
  /** For each member its values; views that the next step overwrites. */
  readonly values: readonly Float32Array<ArrayBuffer>[];
}

/** Floats of each row that {@link columnsOf} yields at most: whole records. */
export function columnWidth({ recordFloats }: HeldUpdates, members: number): number {
  return wholeRecords(Math.min(LONGEST_ROW, WORK_FLOATS / members), recordFloats);
}

/** Walks over the coordinates of some updates, all of them abreast. @param floats of each update */
export async function* columnsOf(
  held: HeldUpdates,
  members: readonly number[],
  floats: number,
): AsyncGenerator<Columns, void, void> {
  const width = columnWidth(held, members.length);
  const ahead = Math.max(
    width,
    wholeRecords(Math.min(MOST_READ_FLOATS, READ_FLOATS / members.length), width),
  );
  const buffers = members.map(() => new Float32Array(Math.min(ahead, floats)));
  for (let start = 0; start < floats; start += ahead) {
    const length = Math.min(ahead, floats - start);
    for (const [index, member] of members.entries()) {
      await held.read(member, start, (buffers[index] ?? new Float32Array(length)).subarray(0, length));
    }
    for (let offset = 0; offset < length; offset += width) {
      const end = Math.min(offset + width, length);
      yield { start: start + offset, values: buffers.map((buffer) => buffer.subarray(offset, end)) };
    }
  }
}

/** The largest multiple of `record` up to `floats`, at least one of it. */
function wholeRecords(floats: number, record: number): number {
  return record * Math.max(1, Math.floor(floats / record));
}
