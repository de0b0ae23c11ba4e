import type { AuditStore, BlobStore, MetadataStore } from "@photinus/core/platform";

/** Where a server keeps what must last. */
export interface ServerStorage {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
  readonly audit: AuditStore;
}
