import type { Bytes } from "../bytes/index.ts";
import { PkiError, StorageError } from "../errors/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import { derChildren, derContent, requireDer } from "./der-reader.ts";
import { integer, sequence } from "./der-writer.ts";

/** A revocation list with what it takes to verify it again. */
export interface RevocationRecord {
  /** SHA-256 of the issuer's certificate, hex: one record for each issuer. */
  readonly name: string;
  /** Number of the list. */
  readonly number: number;
  /** Certificate of the issuer, DER. */
  readonly issuer: Bytes;
  /** The list, DER. */
  readonly list: Bytes;
}

/**
 * Where a participant keeps the newest list of each issuer, so that an older one is refused after a restart too. What
 * it yields is verified again: it need not be trusted, only not forget.
 */
export interface RevocationStore {
  /** All that is kept. */
  load(): Promise<readonly Omit<RevocationRecord, "name">[]>;
  /**
   * Keeps a list durably in place of an older one of the same name.
   * @returns false when one with this number or a higher one is there, which stays
   */
  save(record: RevocationRecord): Promise<boolean>;
}

/** One record as bytes: SEQUENCE { number, certificate of the issuer, list }, DER. */
export function encodeRevocationRecord({ number, issuer, list }: Omit<RevocationRecord, "name">): Bytes {
  return sequence(integer(number), issuer, list);
}

/** @throws PkiError `ERR_CRL_MALFORMED` */
export function decodeRevocationRecord(bytes: Bytes): Omit<RevocationRecord, "name"> {
  try {
    requireDer(bytes);
    const [number, issuer, list, ...more] = derChildren(bytes);
    if (number === undefined || issuer === undefined || list === undefined || more.length > 0) {
      throw new RangeError("expected three values");
    }
    const digits = derContent(number, 2);
    return { number: digits.reduce((value, digit) => value * 256 + digit, 0), issuer, list };
  } catch (cause) {
    throw new PkiError("ERR_CRL_MALFORMED", "a stored revocation list is damaged", { cause });
  }
}

const PREFIX = "revocation/";
/** Processes that share a store write one list each at a time. */
const MAX_ATTEMPTS = 16;

/** Keeps lists in the metadata of a server; all processes that share it see the same. */
export function metadataRevocationStore(metadata: MetadataStore): RevocationStore {
  return {
    async load() {
      const entries = await metadata.list(PREFIX);
      return entries.map(({ value }) => decodeRevocationRecord(value));
    },
    async save(record) {
      for (let attempt = 1; ; attempt++) {
        const outcome = await saveOnce(record, metadata, attempt === MAX_ATTEMPTS);
        if (outcome !== "again") return outcome === "saved";
      }
    },
  };
}

/** @returns "again" when another process was quicker: whose list is newer is decided by looking again */
async function saveOnce(
  record: RevocationRecord,
  metadata: MetadataStore,
  isLast: boolean,
): Promise<"saved" | "left" | "again"> {
  const key = `${PREFIX}${record.name}`;
  const present = await metadata.get(key);
  if (present !== undefined && decodeRevocationRecord(present.value).number >= record.number) return "left";
  const bytes = encodeRevocationRecord(record);
  try {
    if (present === undefined) await metadata.create(key, bytes);
    else await metadata.put(key, bytes, present.revision);
    return "saved";
  } catch (error) {
    if (!(error instanceof StorageError) || isLast) throw error;
    return "again";
  }
}
