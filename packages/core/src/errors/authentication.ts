import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link AuthenticationError}. */
export type AuthenticationErrorCode =
  | "ERR_CREDENTIAL_REQUIRED"
  | "ERR_CREDENTIAL_REFUSED"
  | "ERR_CREDENTIAL_EXPIRED"
  | "ERR_SIGN_IN_REFUSED"
  | "ERR_SIGN_IN_EXPIRED"
  | "ERR_SIGN_IN_UNAVAILABLE"
  | "ERR_ORIGIN_REFUSED"
  | "ERR_KIT_REQUIRED";

/** What the codes mean, of authenticators beside the certificate and of sign-in on the dashboard. */
export const AUTHENTICATION_ERRORS: Readonly<Record<AuthenticationErrorCode, ErrorHandling>> = {
  ERR_CREDENTIAL_REQUIRED: { wire: 4100, action: "close" },
  ERR_CREDENTIAL_REFUSED: { wire: 4101, action: "close" },
  ERR_CREDENTIAL_EXPIRED: { wire: 4102, action: "close" },
  ERR_SIGN_IN_REFUSED: { action: "reject" },
  ERR_SIGN_IN_EXPIRED: { action: "reject" },
  ERR_SIGN_IN_UNAVAILABLE: { action: "back-off" },
  ERR_ORIGIN_REFUSED: { action: "reject" },
  ERR_KIT_REQUIRED: { action: "reject" },
};

/** What a person does about them. */
export const AUTHENTICATION_REMEDIES: Readonly<Record<AuthenticationErrorCode, string>> = {
  ERR_CREDENTIAL_REQUIRED:
    "Tell this participant where to sign in: local/sign-in.json in its kit, as docs/guide/single-sign-on.md shows.",
  ERR_CREDENTIAL_REFUSED:
    "Sign in as somebody whom the server's local/authentication.json lets in; the reason is named.",
  ERR_CREDENTIAL_EXPIRED: "Sign in again: what was proved at the identity provider has run out.",
  ERR_SIGN_IN_REFUSED: "Sign in again, as somebody whom the server's local/authentication.json lets in.",
  ERR_SIGN_IN_EXPIRED: "Sign in again at the identity provider.",
  ERR_SIGN_IN_UNAVAILABLE:
    "Try again later, or sign in with a kit: the identity provider does not answer this server.",
  ERR_ORIGIN_REFUSED:
    "Do this on the server's own pages: another page asked in the name of who is signed in.",
  ERR_KIT_REQUIRED: "Sign with your kit: a site obeys a certificate's key, not a sign-in at the server.",
};

/** A fault of authentication beside the certificate. */
export class AuthenticationError extends PhotinusError<AuthenticationErrorCode> {}
