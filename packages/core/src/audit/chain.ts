import { type Bytes, equalBytes } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { AuditEvent, AuditRecord, CryptoProvider } from "../platform/index.ts";
import { labelled } from "../wire/index.ts";
import { chainedEvent, type PersonalValue, pseudonymize, withPersonal } from "./personal.ts";
import { encodeAuditEntry } from "./record.ts";

/** `previousHash` of the first record: 32 zero bytes, made anew on each call. */
export function genesisHash(): Bytes {
  return new Uint8Array(32);
}

/** Where a chain stands: as much as a witness needs to find a cut tail or a rollback. */
export interface AuditHead {
  /** Number of records. */
  readonly count: number;
  /** Hash of the last one; 32 zero bytes of an empty chain. */
  readonly hash: Bytes;
}

/** The chain does not hold: a record was changed, removed, inserted or moved. */
export class AuditBrokenError extends StorageError {
  /** Sequence of the first record that does not follow from those before it. */
  readonly sequence: number;

  /** @param problem what is wrong with record `sequence` */
  constructor(sequence: number, problem: string) {
    super("ERR_AUDIT_BROKEN", `audit record ${sequence}: ${problem}`);
    this.sequence = sequence;
  }
}

/** `SHA-256(S("audit", previousHash ‖ record))` over the canonical bytes of a record. */
export async function hashAuditEntry(
  crypto: CryptoProvider,
  previousHash: Bytes,
  entry: Bytes,
): Promise<Bytes> {
  return await crypto.sha256(labelled("audit", previousHash, entry));
}

/** A record and the canonical bytes that its hash covers. */
export interface ChainedRecord {
  /** The record, with names. */
  readonly record: AuditRecord;
  /** The same as the chain has it, without names. */
  readonly chained: AuditRecord;
  /** What stores keep beside the chain: names and their salts, by which `record` is made of `chained` again. */
  readonly personal: readonly PersonalValue[];
  /** Its bytes, as `encodeAuditEntry` makes them of `chained`. */
  readonly entry: Bytes;
}

/**
 * The record of `event` that follows `previous`; stores persist it.
 * @param previous the last record, or its place and hash; `undefined` for the first
 * @throws RangeError when the event is beyond the limits of {@link encodeAuditEntry}
 */
export async function chainRecord(
  crypto: CryptoProvider,
  previous: Pick<AuditRecord, "sequence" | "hash"> | undefined,
  event: AuditEvent,
): Promise<ChainedRecord> {
  const sequence = (previous?.sequence ?? 0) + 1;
  const previousHash = previous?.hash ?? genesisHash();
  encodeAuditEntry({ sequence, event }); // what stands beside the chain keeps the same limits
  const { event: referring, personal } = await pseudonymize(event, crypto);
  const entry = encodeAuditEntry({ sequence, event: referring });
  const hash = await hashAuditEntry(crypto, previousHash, entry);
  const chained = { sequence, event: referring, previousHash, hash };
  return { record: withPersonal(chained, personal), chained, personal, entry };
}

/** Options of {@link verifyChain}. */
export interface VerifyChainOptions {
  /** Where the records begin, when those before lie elsewhere. Default: at the first of the chain. */
  readonly from?: AuditHead;
  /**
   * Heads that were witnessed elsewhere: the chain must reach each and hold its hash there. Without one a cut tail
   * cannot be seen.
   */
  readonly witnesses?: readonly AuditHead[];
}

/**
 * Recomputes a chain from its first record.
 * @returns its head
 * @throws AuditBrokenError `ERR_AUDIT_BROKEN` naming the first record that does not fit; a record that is missing is
 *   named by the sequence it should have
 */
export async function verifyChain(
  crypto: CryptoProvider,
  records: AsyncIterable<AuditRecord> | Iterable<AuditRecord>,
  { witnesses = [], from = { count: 0, hash: genesisHash() } }: VerifyChainOptions = {},
): Promise<AuditHead> {
  const witnessed = new Map<number, Bytes[]>();
  for (const { count, hash } of witnesses) witnessed.set(count, [...(witnessed.get(count) ?? []), hash]);
  const furthest = witnesses.reduce((most, { count }) => Math.max(most, count), 0);
  let head = from;
  for await (const record of records) {
    await requireFollows(crypto, head, record);
    head = { count: record.sequence, hash: record.hash };
    const isOther = (hash: Bytes): boolean => !equalBytes(hash, record.hash);
    if (witnessed.get(head.count)?.some(isOther)) {
      throw new AuditBrokenError(head.count, "its hash is not the one that was witnessed");
    }
  }
  if (furthest > head.count) {
    throw new AuditBrokenError(head.count + 1, `missing: ${furthest} records were witnessed`);
  }
  return head;
}

async function requireFollows(crypto: CryptoProvider, head: AuditHead, record: AuditRecord): Promise<void> {
  const expected = head.count + 1;
  if (record.sequence !== expected)
    throw new AuditBrokenError(expected, `found record ${record.sequence} there`);
  if (!equalBytes(record.previousHash, head.hash)) {
    throw new AuditBrokenError(expected, "it does not follow from the record before it");
  }
  const hash = await hashAuditEntry(crypto, head.hash, await canonicalBytes(crypto, record));
  if (!equalBytes(record.hash, hash)) throw new AuditBrokenError(expected, "its content was changed");
}

async function canonicalBytes(crypto: CryptoProvider, record: AuditRecord): Promise<Bytes> {
  const { sequence } = record;
  const event = await chainedEvent(record, crypto);
  try {
    return encodeAuditEntry({ sequence, event });
  } catch {
    throw new AuditBrokenError(sequence, "its content was changed to something no record may hold");
  }
}
