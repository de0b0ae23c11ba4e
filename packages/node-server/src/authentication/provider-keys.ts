import { AuthenticationError } from "@photinus/core/errors";
import type { Clock } from "@photinus/core/platform";
import { limitedFetch, requireSecureUrl } from "@photinus/node-platform";
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, type RemoteJWKSet } from "jose";
import * as v from "valibot";

const FETCH = { bytes: 262_144, timeoutMs: 3_000 };
/** Keys are used this long without being asked for again, ms. */
const KEY_AGE_MS = 3_600_000;
/** A key that is not known is looked for at the provider at most this often, ms. */
const COOLDOWN_MS = 30_000;
/** A provider that failed is not asked again for this long, ms: logins shall not hammer it. */
const FAILURE_MS = 5_000;

const ConfigurationSchema = v.object({
  issuer: v.pipe(v.string(), v.maxLength(512)),
  jwks_uri: v.pipe(v.string(), v.maxLength(2_048)),
});

/** The signing keys of an OpenID provider: found by its discovery document, kept, and looked for again when they change. */
export class ProviderKeys {
  readonly #issuer: string;
  readonly #clock: Clock;
  #keys: Promise<RemoteJWKSet> | undefined;
  #failedMs = Number.NEGATIVE_INFINITY;

  constructor(issuer: string, { clock }: { readonly clock: Clock }) {
    this.#issuer = issuer;
    this.#clock = clock;
  }

  /** The key of a token, as `jwtVerify` asks for it. Without an answer of the provider, and none kept, there is none. */
  readonly get: JWTVerifyGetKey = async (header, token) => {
    this.#keys ??= this.#discover();
    try {
      return await (await this.#keys)(header, token);
    } catch (error) {
      // A failed discovery is tried again, later; keys that were found stay.
      await this.#keys?.catch(() => {
        this.#keys = undefined;
      });
      throw error;
    }
  };

  async #discover(): Promise<RemoteJWKSet> {
    const url = `${this.#issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await this.#ask(url, {});
    const parsed = v.safeParse(ConfigurationSchema, await response.json().catch(() => undefined));
    // OpenID Connect Discovery 1.0, section 4.3: the document speaks for exactly this issuer.
    if (!parsed.success || parsed.output.issuer !== this.#issuer)
      throw unavailable("is another issuer's, or no configuration");
    return createRemoteJWKSet(requireSecureUrl(parsed.output.jwks_uri), {
      cacheMaxAge: KEY_AGE_MS,
      cooldownDuration: COOLDOWN_MS,
      timeoutDuration: FETCH.timeoutMs,
      [customFetch]: (address, { headers, signal }) => this.#ask(address, { headers, signal }),
    });
  }

  async #ask(url: string, request: Parameters<ReturnType<typeof limitedFetch>>[1]): Promise<Response> {
    if (this.#clock.now() - this.#failedMs < FAILURE_MS) throw unavailable("did not answer a moment ago");
    try {
      const response = await limitedFetch(FETCH)(url, request);
      if (response.status !== 200) throw unavailable(`answered HTTP ${response.status}`);
      return response;
    } catch (error) {
      this.#failedMs = this.#clock.now();
      throw error instanceof AuthenticationError ? error : unavailable("does not answer", error);
    }
  }
}

function unavailable(what: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError("ERR_SIGN_IN_UNAVAILABLE", `the identity provider ${what}`, { cause });
}
