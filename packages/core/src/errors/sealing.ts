import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link SealingError}. */
export type SealingErrorCode =
  | "ERR_KEY_PACKAGE_MISSING"
  | "ERR_KEY_PACKAGE_REFUSED"
  | "ERR_SEALED_UNREADABLE"
  | "ERR_SEALED_MISMATCH";

/** What the codes mean, of content that is sealed between participants. */
export const SEALING_ERRORS: Readonly<Record<SealingErrorCode, ErrorHandling>> = {
  ERR_KEY_PACKAGE_MISSING: { wire: 4070, action: "reject" },
  ERR_KEY_PACKAGE_REFUSED: { wire: 4071, action: "reject" },
  ERR_SEALED_UNREADABLE: { wire: 4072, action: "reject" },
  ERR_SEALED_MISMATCH: { wire: 4073, action: "reject" },
};

/** What a person does about them. */
export const SEALING_REMEDIES: Readonly<Record<SealingErrorCode, string>> = {
  ERR_KEY_PACKAGE_MISSING:
    "Wait for a fresh key package of that participant: the last one has expired, or none came.",
  ERR_KEY_PACKAGE_REFUSED:
    "Publish a key package as protocol version 1 defines it, for X25519 and at most seven days.",
  ERR_SEALED_UNREADABLE:
    "Ask the sender to seal it again: it was altered, or sealed for another recipient, job or round.",
  ERR_SEALED_MISMATCH: "Report it: what the sender signed inside differs from what was handed over with it.",
};

/** A fault of content that is sealed between participants. */
export class SealingError extends PhotinusError<SealingErrorCode> {}
