import type { AuditStore, BlobStore, Bus, MetadataStore, ScratchStore } from "@photinus/core/platform";

/** Where a server keeps what must last. */
export interface ServerStorage {
  /** Small records. */
  readonly metadata: MetadataStore;
  /** Bytes by their digest. */
  readonly blobs: BlobStore;
  /** The chain of audit records. */
  readonly audit: AuditStore;
  /** Room for what need not last. Absent: the updates of a round with a robust rule must fit in memory. */
  readonly scratch?: ScratchStore;
  /** Notices to and from the other servers on this storage. */
  readonly bus: Bus;
}
