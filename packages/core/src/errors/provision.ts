import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link ProvisionError}. */
export type ProvisionErrorCode =
  | "ERR_PROJECT_INVALID"
  | "ERR_PROJECT_STATE_INVALID"
  | "ERR_PROJECT_STATE_FULL"
  | "ERR_PARTICIPANT_UNKNOWN"
  | "ERR_SERVER_KEYS_MISSING"
  | "ERR_REQUEST_DIFFERS"
  | "ERR_KIT_MISSING_FILE"
  | "ERR_KIT_UNEXPECTED_FILE"
  | "ERR_KIT_FILE_CHANGED"
  | "ERR_KIT_MANIFEST_INVALID"
  | "ERR_KIT_FILE_SWAPPED"
  | "ERR_KIT_FOREIGN"
  | "ERR_KIT_UNREADABLE"
  | "ERR_KIT_NOT_YET_VALID"
  | "ERR_KIT_EXPIRED"
  | "ERR_KIT_OLDER"
  | "ERR_STORAGE_KEY_OTHER";

/** What the codes mean, of projects and startup kits. */
export const PROVISION_ERRORS: Readonly<Record<ProvisionErrorCode, ErrorHandling>> = {
  ERR_PARTICIPANT_UNKNOWN: { action: "stop" },
  ERR_PROJECT_STATE_INVALID: { action: "stop" },
  ERR_PROJECT_STATE_FULL: { action: "stop" },
  ERR_SERVER_KEYS_MISSING: { action: "stop" },
  ERR_REQUEST_DIFFERS: { action: "stop" },
  ERR_PROJECT_INVALID: { action: "stop" },
  ERR_KIT_MISSING_FILE: { action: "stop" },
  ERR_KIT_UNEXPECTED_FILE: { action: "stop" },
  ERR_KIT_FILE_CHANGED: { action: "stop" },
  ERR_KIT_MANIFEST_INVALID: { action: "stop" },
  ERR_KIT_FILE_SWAPPED: { action: "stop" },
  ERR_KIT_FOREIGN: { action: "stop" },
  ERR_KIT_UNREADABLE: { action: "stop" },
  ERR_KIT_NOT_YET_VALID: { action: "stop" },
  ERR_KIT_EXPIRED: { action: "stop" },
  ERR_KIT_OLDER: { action: "stop" },
  ERR_STORAGE_KEY_OTHER: { action: "stop" },
};

/** What a person does about them. */
export const PROVISION_REMEDIES: Readonly<Record<ProvisionErrorCode, string>> = {
  ERR_PARTICIPANT_UNKNOWN:
    "Name participants as the project's definition does; pages are revoked at the server.",
  ERR_PROJECT_STATE_INVALID:
    "Put root/state.json and root/root.crl of the project back from a backup: they tell what was issued.",
  ERR_PROJECT_STATE_FULL:
    "Nothing was issued. Wait until certificates of the named participant have expired, or give it another name; let certificates live longer than you renew them.",
  ERR_SERVER_KEYS_MISSING:
    "Put the server's kit and secret back into kits/ and secrets/ of the project, or say --new-server-keys: then models at rest are lost and pages join again.",
  ERR_REQUEST_DIFFERS:
    "Compare name, organization, role and fingerprint with who asks. The definition decides: correct it (key: requested), or let the request be made again.",
  ERR_PROJECT_INVALID:
    "Correct the named field of the project definition; `photinus project schema` lists all fields.",
  ERR_KIT_MISSING_FILE: "Unpack the kit again: a file that its manifest lists is missing.",
  ERR_KIT_UNEXPECTED_FILE: "Remove the named file, or put it into local/ where the manifest does not reach.",
  ERR_KIT_FILE_CHANGED: "Unpack the kit again: a file differs from what the project signed.",
  ERR_KIT_MANIFEST_INVALID:
    "Get the kit again from the project's administrator: its manifest is not signed by the project.",
  ERR_KIT_FILE_SWAPPED: "Unpack the kit again: the named file holds what belongs into another one.",
  ERR_KIT_FOREIGN: "Use the kit of this project and participant: the manifest was signed for another one.",
  ERR_KIT_UNREADABLE:
    "Check the kit's folder or zip file: plain files of at most 1 MiB that their owner may read, no links.",
  ERR_KIT_NOT_YET_VALID: "Check the clock of this machine, or wait until the kit is valid.",
  ERR_KIT_EXPIRED: "Ask the project's administrator for a new kit.",
  ERR_KIT_OLDER:
    "Put the newest kit of this participant in place: this one was issued before the one in use.",
  ERR_STORAGE_KEY_OTHER:
    "Renew the server's kit without --new-server-keys: it then goes on with the storage key. With another key nothing that was stored can be read; to give it up, start on an empty --state folder.",
};

/** A fault of projects and startup kits. */
export class ProvisionError extends PhotinusError<ProvisionErrorCode> {}
