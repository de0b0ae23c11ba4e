import { createHash, timingSafeEqual } from "node:crypto";
import { AuthenticationError } from "@photinus/core/errors";
import { errors, type JWTPayload, jwtVerify } from "jose";
import type { ProviderKeys } from "./provider-keys.ts";
import type { SignatureName } from "./settings.ts";

/** No token is larger: what message 3 of a handshake carries. */
const MAX_TOKEN = 8_192;
/** Clocks of provider and server may differ by this much, seconds. */
const TOLERANCE_S = 30;
/** A token is used at once: one that was made longer ago than this was kept for something else, seconds. */
const MAX_AGE_S = 900;

/** What an ID token has to be. */
export interface ExpectedToken {
  /** Who made it. */
  readonly issuer: string;
  /** For whom: one of these. */
  readonly audience: readonly string[];
  /** How it is signed. */
  readonly algorithms: readonly SignatureName[];
  /** What it was made for. */
  readonly nonce: string;
  /** Present time, ms since 1970. */
  readonly nowMs: number;
}

/** A verified ID token. */
export interface VerifiedToken {
  /** All that it says. */
  readonly claims: JWTPayload;
  /** Whom it is about, at its issuer. */
  readonly subject: string;
  /** When it runs out, ms since 1970. */
  readonly expiresAtMs: number;
}

/**
 * Verifies an ID token as OpenID Connect Core 1.0, section 3.1.3.7, says.
 * @throws AuthenticationError `ERR_CREDENTIAL_REFUSED` with a reason that tells nothing of the token, or
 *   `ERR_SIGN_IN_UNAVAILABLE`
 */
export async function verifyIdToken(
  token: string,
  expected: ExpectedToken,
  keys: ProviderKeys,
): Promise<VerifiedToken> {
  if (token.length > MAX_TOKEN) throw refused("the token is too large");
  const { payload, protectedHeader } = await jwtVerify(token, keys.get, {
    issuer: expected.issuer,
    audience: [...expected.audience],
    algorithms: [...expected.algorithms],
    clockTolerance: TOLERANCE_S,
    maxTokenAge: MAX_AGE_S,
    currentDate: new Date(expected.nowMs),
    requiredClaims: ["iss", "sub", "aud", "exp", "iat", "nonce"],
  }).catch((error: unknown) => {
    throw wordsOf(error);
  });
  // An access token (at+jwt) or a logout token of the same issuer is no ID token.
  const { typ } = protectedHeader;
  if (typ !== undefined && typ.toUpperCase() !== "JWT") throw refused("the token is no ID token");
  const { sub, exp, azp, aud, nonce } = payload;
  if (typeof sub !== "string" || sub === "" || sub.length > 255 || exp === undefined) {
    throw refused("the token names no subject");
  }
  // Who asked for it has to be one of ours as well, also where it is for several.
  if (azp === undefined ? Array.isArray(aud) && aud.length > 1 : !expected.audience.includes(String(azp))) {
    throw refused("the token was made for another client (azp)");
  }
  if (typeof nonce !== "string" || !isSame(nonce, expected.nonce)) {
    throw refused("the token was made for another key, project or login (nonce)");
  }
  return { claims: payload, subject: sub, expiresAtMs: exp * 1000 };
}

/** In constant time, whatever the lengths. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** Words of ours for what the library says: its messages may quote the token. */
function wordsOf(error: unknown): AuthenticationError {
  if (error instanceof AuthenticationError) return error;
  if (error instanceof errors.JWTExpired) return refused("the token has run out, or is too old");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refused(`the token's ${error.claim} is not what it has to be`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refused("the token is signed in a way that is not allowed");
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return refused("the provider has no such key");
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refused("the token is not signed by the provider");
  if (error instanceof errors.JWKSTimeout) {
    return new AuthenticationError("ERR_SIGN_IN_UNAVAILABLE", "the identity provider does not answer");
  }
  return refused("the credential is no ID token");
}

function refused(reason: string): AuthenticationError {
  return new AuthenticationError("ERR_CREDENTIAL_REFUSED", reason);
}
