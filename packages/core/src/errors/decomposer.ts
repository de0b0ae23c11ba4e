import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link DecomposerError}. */
export type DecomposerErrorCode = "ERR_DECODE_REFUSED" | "ERR_ENCODE_REFUSED";

/** What the codes mean, of serialization by decomposers. */
export const DECOMPOSER_ERRORS: Readonly<Record<DecomposerErrorCode, ErrorHandling>> = {
  ERR_DECODE_REFUSED: { wire: 4019, action: "reject" },
  ERR_ENCODE_REFUSED: { action: "reject" },
};

/** What a person does about them. */
export const DECOMPOSER_REMEDIES: Readonly<Record<DecomposerErrorCode, string>> = {
  ERR_DECODE_REFUSED: "Send only registered types within the limits of docs/WIRE-PROTOCOL.md.",
  ERR_ENCODE_REFUSED: "Pass only plain data and registered types; the message names the path of the value.",
};

/** A fault of serialization by decomposers. */
export class DecomposerError extends PhotinusError<DecomposerErrorCode> {}
