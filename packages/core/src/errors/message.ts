import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link MessageError}. */
export type MessageErrorCode = "ERR_TYPE_UNKNOWN" | "ERR_MESSAGE_MALFORMED";

/** What the codes mean, of messages inside a session. */
export const MESSAGE_ERRORS: Readonly<Record<MessageErrorCode, ErrorHandling>> = {
  ERR_TYPE_UNKNOWN: { wire: 4020, action: "reject" },
  ERR_MESSAGE_MALFORMED: { wire: 4021, action: "reject" },
};

/** What a person does about them. */
export const MESSAGE_REMEDIES: Readonly<Record<MessageErrorCode, string>> = {
  ERR_TYPE_UNKNOWN:
    "Update the older side: it does not know this message type, or it does not expect it of this role.",
  ERR_MESSAGE_MALFORMED: "Correct the named field of the message.",
};

/** A fault of messages inside a session. */
export class MessageError extends PhotinusError<MessageErrorCode> {}
