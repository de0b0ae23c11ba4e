import type { Clock, CryptoProvider } from "@photinus/core/platform";
import {
  type Authenticator,
  type AuthenticatorVerdict,
  credentialNonce,
  type PeerFacts,
} from "@photinus/core/session";
import { fits, valuesOf } from "./claims.ts";
import { ProviderKeys } from "./provider-keys.ts";
import { DEFAULT_ALGORITHMS, type LoginProvider } from "./settings.ts";
import { type VerifiedToken, verifyIdToken } from "./verify-id-token.ts";

/** What {@link oidcAuthenticator} works with. */
export interface OidcAuthenticatorModules {
  /** Time. */
  readonly clock: Clock;
  /** Digests. */
  readonly crypto: CryptoProvider;
}

/**
 * Admits who brings an ID token that an OpenID provider made for this project, key and challenge, with the claims that
 * the configuration wants. Without an answer of the provider, and no key kept, nobody is admitted.
 */
export function oidcAuthenticator(
  provider: LoginProvider,
  { clock, crypto }: OidcAuthenticatorModules,
): Authenticator {
  const keys = new ProviderKeys(provider.issuer, { clock });
  return {
    name: `oidc ${provider.issuer}`.slice(0, 200),
    needsCredential: true,
    async authenticate({ project, keyDigest, challenge, credential, name }: PeerFacts) {
      if (challenge === undefined) return refusal("no challenge is open: connect again");
      if (credential === undefined) return refusal("no ID token came");
      const nonce = await credentialNonce({ project, keyDigest, challenge }, { crypto });
      const { issuer, audience, algorithms = DEFAULT_ALGORITHMS } = provider;
      const token = new TextDecoder().decode(credential);
      const expected = { issuer, audience, algorithms, nonce, nowMs: clock.now() };
      return verdictOf(await verifyIdToken(token, expected, keys), { provider, name, nowMs: clock.now() });
    },
  };
}

function verdictOf(
  { claims, subject, expiresAtMs }: VerifiedToken,
  asked: { readonly provider: LoginProvider; readonly name: string; readonly nowMs: number },
): AuthenticatorVerdict {
  const { allow, nameClaim, admitMinutes, issuer } = asked.provider;
  if (!fits(claims, allow)) return refusal("who signed in has none of the claims that are let in");
  if (nameClaim !== undefined && !valuesOf(claims, nameClaim).includes(asked.name)) {
    return refusal(`who signed in is not ${asked.name} (${nameClaim})`);
  }
  const untilMs = admitMinutes === undefined ? expiresAtMs : asked.nowMs + admitMinutes * 60_000;
  return { admitted: true, claims: { issuer, subject }, expiresAtMs: untilMs };
}

function refusal(reason: string): AuthenticatorVerdict {
  return { admitted: false, reason };
}
