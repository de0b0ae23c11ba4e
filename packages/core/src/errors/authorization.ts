import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link AuthorizationError}. */
export type AuthorizationErrorCode = "ERR_FORBIDDEN" | "ERR_POLICY_INVALID";

/** What the codes mean, of authorization. */
export const AUTHORIZATION_ERRORS: Readonly<Record<AuthorizationErrorCode, ErrorHandling>> = {
  ERR_FORBIDDEN: { wire: 4030, action: "reject" },
  ERR_POLICY_INVALID: { action: "stop" },
};

/** What a person does about them. */
export const AUTHORIZATION_REMEDIES: Readonly<Record<AuthorizationErrorCode, string>> = {
  ERR_FORBIDDEN: "Ask the organization that owns the site or job to allow this in its policy.",
  ERR_POLICY_INVALID:
    "Correct authorization.json at the named place; until then everything is refused. Try it by `photinus policy explain`.",
};

/** A fault of authorization. */
export class AuthorizationError extends PhotinusError<AuthorizationErrorCode> {}
