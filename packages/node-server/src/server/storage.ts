import type { AuditStore, BlobStore, MetadataStore } from "@photinus/core/platform";

/** Where a server keeps what must last. */
export interface ServerStorage {
  /** Small records. */
  readonly metadata: MetadataStore;
  /** Bytes by their digest. */
  readonly blobs: BlobStore;
  /** The chain of audit records. */
  readonly audit: AuditStore;
}
