import type { Bytes } from "../bytes/index.ts";
import { type PositionalReader, readPositional, writePositional } from "../decomposer/index.ts";
import { StorageError } from "../errors/index.ts";
import type { AuditEvent } from "../platform/index.ts";

/** Version of the canonical bytes of a record. */
const RECORD_VERSION = 1;

/** Longest text of one field of an event, in bytes of UTF-8; longer ones are refused, never cut. */
export const MAX_AUDIT_TEXT_BYTES = 1024;

/** Most details of one event. */
export const MAX_AUDIT_DETAILS = 32;

const OUTCOMES = ["accepted", "refused", "done", "failed"] as const;

/** What the canonical bytes of a record say: its place and its event. */
export interface AuditEntry {
  /** 1, 2, 3, ... */
  readonly sequence: number;
  /** What the record says. */
  readonly event: AuditEvent;
}

/**
 * The canonical bytes of a record: `[1, sequence, atMs, actor, action, object, outcome, reason, correlation,
 * [[name, value], ...]]` with details sorted by name. One event has one encoding; the chain hashes it.
 * @throws RangeError when a text is over {@link MAX_AUDIT_TEXT_BYTES}, there are too many details, or a number is not
 *   finite
 */
export function encodeAuditEntry({ sequence, event }: AuditEntry): Bytes {
  const details = Object.entries(event.details).sort(([left], [right]) => (left < right ? -1 : 1));
  const { atMs, actor, action, object, outcome, reason, correlation } = event;
  const fields = [
    RECORD_VERSION,
    sequence,
    atMs,
    actor,
    action,
    object,
    outcome,
    reason,
    correlation,
    details,
  ];
  let bytes: Bytes;
  try {
    bytes = writePositional(fields);
    readPositional(bytes, readEntry); // what is written can be read: the same limits hold on both ways
  } catch (cause) {
    throw new RangeError(`not an audit event: ${cause instanceof Error ? cause.message : "refused"}`, {
      cause,
    });
  }
  return bytes;
}

/** @throws StorageError `ERR_STORAGE_CORRUPT` unless `bytes` are those of {@link encodeAuditEntry} */
export function decodeAuditEntry(bytes: Bytes): AuditEntry {
  try {
    return readPositional(bytes, readEntry);
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_CORRUPT", "the bytes of an audit record do not parse", { cause });
  }
}

function readEntry(r: PositionalReader): AuditEntry {
  r.uint(RECORD_VERSION, RECORD_VERSION);
  const sequence = r.uint(Number.MAX_SAFE_INTEGER, 1);
  const atMs = r.uint();
  const [actor, action, object] = [text(r), text(r), text(r)];
  const outcome = r.oneOf(OUTCOMES);
  const [reason, correlation] = [text(r), text(r)];
  const details = r.array(MAX_AUDIT_DETAILS, () =>
    r.tuple(() => [text(r), r.scalar(MAX_AUDIT_TEXT_BYTES)] as const),
  );
  requireSorted(details.map(([name]) => name));
  const event = {
    atMs,
    actor,
    action,
    object,
    outcome,
    reason,
    correlation,
    details: Object.fromEntries(details),
  };
  return { sequence, event };
}

const text = (r: PositionalReader): string => r.text(MAX_AUDIT_TEXT_BYTES);

/** Sorted and without repetition, else one event had several encodings. */
function requireSorted(names: readonly string[]): void {
  const isSorted = names.every((name, index) => index === 0 || (names[index - 1] ?? "") < name);
  if (!isSorted || names.includes("__proto__")) throw new RangeError("details are not sorted by name");
}
