import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link StorageError}. */
export type StorageErrorCode =
  | "ERR_STORAGE_CONFLICT"
  | "ERR_STORAGE_EXISTS"
  | "ERR_STORAGE_CORRUPT"
  | "ERR_STORAGE_VERSION"
  | "ERR_STORAGE_UNAVAILABLE"
  | "ERR_SEEN_OBJECTS_CORRUPT"
  | "ERR_SEEN_OBJECTS_FULL"
  | "ERR_AUDIT_BROKEN"
  | "ERR_AUDIT_BEHIND"
  | "ERR_BUDGET_BEHIND";

/** What the codes mean, of storage. */
export const STORAGE_ERRORS: Readonly<Record<StorageErrorCode, ErrorHandling>> = {
  ERR_STORAGE_CONFLICT: { action: "reject" },
  ERR_STORAGE_EXISTS: { action: "reject" },
  ERR_STORAGE_CORRUPT: { action: "stop" },
  ERR_STORAGE_VERSION: { action: "stop" },
  ERR_STORAGE_UNAVAILABLE: { action: "stop" },
  ERR_SEEN_OBJECTS_CORRUPT: { action: "stop" },
  ERR_SEEN_OBJECTS_FULL: { action: "reject" },
  ERR_AUDIT_BROKEN: { action: "stop" },
  ERR_AUDIT_BEHIND: { action: "reject" },
  ERR_BUDGET_BEHIND: { action: "stop" },
};

/** What a person does about them. */
export const STORAGE_REMEDIES: Readonly<Record<StorageErrorCode, string>> = {
  ERR_STORAGE_CONFLICT: "Read the record again: another process changed it meanwhile.",
  ERR_STORAGE_EXISTS: "Use another key: this one exists.",
  ERR_STORAGE_CORRUPT: "Restore the storage from a backup.",
  ERR_STORAGE_VERSION: "Start the version of Photinus that wrote this storage, or migrate it.",
  ERR_STORAGE_UNAVAILABLE:
    "Check the disk: space, permissions, and that no other server or site uses the folder: end that process, or give each a folder of its own by --state.",
  ERR_SEEN_OBJECTS_CORRUPT:
    "Find out what damaged the folder objects in the site's state; delete it only when no job of the last 30 days may be replayed to the site, or give the site a new identity. In a page: leave the project and join again.",
  ERR_SEEN_OBJECTS_FULL:
    "Wait until jobs that this site has seen expire: each is remembered as long as it may be valid.",
  ERR_AUDIT_BROKEN: "Find out who changed the audit log; the first broken record is named.",
  ERR_AUDIT_BEHIND:
    "Restore the newest state of this host. When it is lost for good: `photinus audit accept-loss --state <folder> --reason <why>`, which is recorded.",
  ERR_BUDGET_BEHIND:
    "Restore the newest folder privacy of the site's state: an older one would spend the budget again. When it is lost for good: `photinus audit accept-loss --state <folder> --reason <why>`, which is recorded and which the server witnesses.",
};

/** A fault of storage. */
export class StorageError extends PhotinusError<StorageErrorCode> {}
