import * as v from "valibot";
import { textOf } from "./fields.ts";

/** Entries of one list message; the next ones are asked for by its cursor. */
export const MAX_LISTED = 200;

/** What names the place in a list. */
export const cursor: v.GenericSchema<unknown, string> = textOf(1, 200);

/** One page of a list. */
export interface Listed<Entry> {
  /** At most {@link MAX_LISTED}. */
  readonly entries: readonly Entry[];
  /** Cursor of what follows; absent at the end. */
  readonly next?: string;
}

/** A page of entries. */
export const listOf = <Entry>(
  entry: v.GenericSchema<unknown, Entry>,
): v.GenericSchema<unknown, Listed<Entry>> =>
  v.strictObject({ entries: v.pipe(v.array(entry), v.maxLength(MAX_LISTED)), next: v.exactOptional(cursor) });
