import { join } from "node:path";
import { StorageError } from "@photinus/core/errors";
import { type CryptoProvider, localBus, type ScratchStore } from "@photinus/core/platform";
import type { ServerStorage } from "../server/storage.ts";
import { BlobFiles } from "./blob-files.ts";
import { ClosedSegments } from "./closed-segments.ts";
import { Database } from "./database.ts";
import { makePrivateFolder, syncFolder, touchPrivateFile } from "./folder.ts";
import { GroupWriter } from "./group-writer.ts";
import { AUDIT_SEGMENT_RECORDS, LibsqlAudit } from "./libsql-audit.ts";
import { LibsqlMetadata } from "./libsql-metadata.ts";
import { openScratchFolder } from "./scratch-folder.ts";

/** Options of {@link openStorage}. */
export interface StorageOptions {
  /** Folder of this server alone; made when it is missing. Holds `photinus.db`, `blobs/`, `audit/` and
   * `scratch/`. */
  readonly folder: string;
  /** Audit records after which a segment of the chain is closed and moved to a file in `audit/`. Default 32 768. */
  readonly segmentRecords?: number;
}

/** The storage roles of one server on its own disk. */
export interface EmbeddedStorage extends ServerStorage {
  /** Files in `scratch/`, removed when they are closed. */
  readonly scratch: ScratchStore;
  /** What the role is, and what an operator may do with it. */
  readonly audit: LibsqlAudit;
  /** Waits for writes that are under way and closes; idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the embedded storage: metadata and audit in a libsql file, blobs in content-addressed files, all readable by
 * this user only. The folder is locked until {@link EmbeddedStorage.close} or the end of the process.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` (disk, permissions, another process), `ERR_STORAGE_VERSION`,
 *   `ERR_STORAGE_CORRUPT`, `ERR_AUDIT_BROKEN` when the last audit record was changed
 */
export async function openStorage(
  { folder, segmentRecords = AUDIT_SEGMENT_RECORDS }: StorageOptions,
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<EmbeddedStorage> {
  const file = join(folder, "photinus.db");
  await prepareFolder(folder, file);
  const database = Database.open(file);
  try {
    const writer = new GroupWriter(database);
    const segments = new ClosedSegments(database, folder);
    const audit = await LibsqlAudit.open(database, { writer, crypto, segments, segmentRecords });
    const blobs = await BlobFiles.open(join(folder, "blobs"));
    const scratch = await openScratchFolder(join(folder, "scratch"));
    const metadata = new LibsqlMetadata(database, writer);
    const close = async (): Promise<void> => {
      await audit.settled();
      await writer.close();
      database.close();
    };
    // The folder is locked: every server on it is in this process.
    return { metadata, blobs, audit, scratch, bus: localBus(), close };
  } catch (error) {
    database.close();
    throw error;
  }
}

async function prepareFolder(folder: string, file: string): Promise<void> {
  try {
    await makePrivateFolder(folder);
    await touchPrivateFile(file);
    await syncFolder(folder);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError("ERR_STORAGE_UNAVAILABLE", `the storage folder refuses: ${text}`, { cause });
  }
}
