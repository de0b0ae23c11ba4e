import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link EnvelopeError}. */
export type EnvelopeErrorCode =
  | "ERR_TOKEN_EXPIRED"
  | "ERR_TOKEN_UNKNOWN"
  | "ERR_ENVELOPE_REPLAYED"
  | "ERR_ENVELOPE_STALE"
  | "ERR_ENVELOPE_WRONG_RECIPIENT"
  | "ERR_ENVELOPE_SIGNATURE_INVALID"
  | "ERR_ENVELOPE_UNKNOWN_SENDER"
  | "ERR_DIGEST_MISMATCH"
  | "ERR_STREAM_REFUSED"
  | "ERR_BLOB_UNREADABLE";

/** What the codes mean, of signed envelopes, objects, tokens and streams. */
export const ENVELOPE_ERRORS: Readonly<Record<EnvelopeErrorCode, ErrorHandling>> = {
  ERR_TOKEN_EXPIRED: { wire: 4010, action: "close" },
  ERR_TOKEN_UNKNOWN: { wire: 4011, action: "reject" },
  ERR_ENVELOPE_REPLAYED: { wire: 4013, action: "close" },
  ERR_ENVELOPE_STALE: { wire: 4015, action: "reject" },
  ERR_ENVELOPE_WRONG_RECIPIENT: { wire: 4016, action: "reject" },
  ERR_ENVELOPE_SIGNATURE_INVALID: { wire: 4017, action: "close" },
  ERR_ENVELOPE_UNKNOWN_SENDER: { wire: 4028, action: "reject" },
  ERR_DIGEST_MISMATCH: { wire: 4018, action: "reject" },
  ERR_STREAM_REFUSED: { wire: 4029, action: "reject" },
  ERR_BLOB_UNREADABLE: { action: "reject" },
};

/** What a person does about them. */
export const ENVELOPE_REMEDIES: Readonly<Record<EnvelopeErrorCode, string>> = {
  ERR_TOKEN_EXPIRED: "Reconnect to get a fresh token.",
  ERR_TOKEN_UNKNOWN: "Reconnect to get a fresh token.",
  ERR_ENVELOPE_REPLAYED: "Reconnect; if it happens again, somebody replays recorded messages.",
  ERR_ENVELOPE_STALE: "Check both clocks: the message was issued too long ago or in the future.",
  ERR_ENVELOPE_WRONG_RECIPIENT: "Send it to the participant and in the session that it was sealed for.",
  ERR_ENVELOPE_SIGNATURE_INVALID:
    "Reconnect; if it happens again, the message is altered on its way or its key is not the certificate's.",
  ERR_ENVELOPE_UNKNOWN_SENDER: "Send the certificate chain of the signer first.",
  ERR_DIGEST_MISMATCH: "Send the content again: it is not what was signed.",
  ERR_STREAM_REFUSED: "Send streams only within the credit and the limits that the receiver grants.",
  ERR_BLOB_UNREADABLE: "Fetch the blob again; its ciphertext does not open under the key of the task.",
};

/** A fault of signed envelopes, objects, tokens and streams. */
export class EnvelopeError extends PhotinusError<EnvelopeErrorCode> {}
