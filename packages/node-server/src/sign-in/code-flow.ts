import { randomBytes } from "node:crypto";
import { AuthenticationError } from "@photinus/core/errors";
import type { Clock, Logger } from "@photinus/core/platform";
import { limitedFetch } from "@photinus/node-platform";
import { EncryptJWT, jwtDecrypt } from "jose";
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  None,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import * as v from "valibot";
import { ProviderKeys } from "../authentication/provider-keys.ts";
import { DEFAULT_ALGORITHMS, type SignatureName } from "../authentication/settings.ts";
import { type VerifiedToken, verifyIdToken } from "../authentication/verify-id-token.ts";

/** A sign-in that has begun. */
export interface BegunSignIn {
  /** Where the browser goes. */
  readonly location: string;
  /** What it brings back, sealed: for a cookie of its own. */
  readonly transaction: string;
}

/** This server at a provider: what signing in by a browser needs of the settings. */
export interface CodeFlowClient {
  readonly issuer: string;
  readonly clientId: string;
  /** Origin under which people open the pages of this server. */
  readonly origin: string;
  /** What is asked for. */
  readonly scopes: readonly string[];
  readonly algorithms?: readonly SignatureName[];
}

/** What {@link CodeFlow} works with. */
export interface CodeFlowModules {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Path at which the provider sends the browser back. */
  readonly callbackPath: string;
  /** Of the client at the provider; absent: it has none. */
  readonly secret?: string | undefined;
}

/** What a sign-in yields. */
export interface FinishedSignIn {
  /** What the token says. */
  readonly verified: VerifiedToken;
  /** As the provider made it. */
  readonly idToken: string;
  /** What it was made for. */
  readonly nonce: string;
}

/** A person has this long at the provider, s. */
export const TRANSACTION_S = 600;

const FETCH = { bytes: 262_144, timeoutMs: 5_000 };
/** A provider that failed is not asked again for this long, ms. */
const FAILURE_MS = 5_000;
/** Answers of a provider (RFC 6749, section 5.2) that are about this server, not about who signs in. */
const FAULTS_OF_CLIENT: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "unsupported_grant_type",
]);
/** They are logged this often, ms: strangers can ask for them. */
const TELL_MS = 60_000;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const TransactionSchema = v.object({ state: text, nonce: text, verifier: text });

/** People who sign in at an OpenID provider by a browser: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1). */
export class CodeFlow {
  readonly #client: CodeFlowClient;
  readonly #secret: string | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #callback: string;
  readonly #keys: ProviderKeys;
  /** Seals transactions: what a stranger begins costs the server no memory. */
  readonly #sealingKey = randomBytes(32);
  #configuration: Promise<Configuration> | undefined;
  #failedMs = Number.NEGATIVE_INFINITY;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(client: CodeFlowClient, { clock, logger, callbackPath, secret }: CodeFlowModules) {
    this.#client = client;
    this.#logger = logger;
    this.#secret = secret;
    this.#clock = clock;
    this.#callback = client.origin + callbackPath;
    this.#keys = new ProviderKeys(client.issuer, { clock });
  }

  /**
   * @param nonce what the token is to be made for; one of its own by default
   * @throws AuthenticationError `ERR_SIGN_IN_UNAVAILABLE`
   */
  async begin(nonce: string = randomNonce()): Promise<BegunSignIn> {
    const configuration = await this.#discovered();
    const verifier = randomPKCECodeVerifier();
    const state = randomState();
    const location = buildAuthorizationUrl(configuration, {
      redirect_uri: this.#callback,
      scope: [...new Set(["openid", ...this.#client.scopes])].join(" "),
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    const seconds = Math.floor(this.#clock.now() / 1000);
    const transaction = await new EncryptJWT({ state, nonce, verifier })
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .setExpirationTime(seconds + TRANSACTION_S)
      .encrypt(this.#sealingKey);
    return { location: location.href, transaction };
  }

  /**
   * The token of whoever comes back.
   * @param query of the address that the browser came back to
   * @throws AuthenticationError `ERR_SIGN_IN_REFUSED`, `ERR_SIGN_IN_EXPIRED`, `ERR_SIGN_IN_UNAVAILABLE`
   */
  async finish(query: URLSearchParams, transaction: string): Promise<FinishedSignIn> {
    const { state, nonce, verifier } = await this.#opened(transaction);
    if (query.get("state") !== state) throw refused("this sign-in was begun elsewhere");
    const configuration = await this.#discovered();
    const url = new URL(this.#callback);
    url.search = query.toString();
    const tokens = await authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    }).catch((cause: unknown) => {
      this.#tell(cause);
      // The library's words may quote a token.
      throw refused("the identity provider did not confirm this sign-in", cause);
    });
    const { issuer, clientId, algorithms = DEFAULT_ALGORITHMS } = this.#client;
    const idToken = tokens.id_token ?? "";
    const expected = { issuer, audience: [clientId], algorithms, nonce, nowMs: this.#clock.now() };
    // The library relies on TLS to the token endpoint; the signature is verified all the same.
    const verified = await verifyIdToken(idToken, expected, this.#keys).catch((error: unknown) => {
      if (error instanceof AuthenticationError && error.code === "ERR_CREDENTIAL_REFUSED") {
        throw refused(error.message);
      }
      throw error;
    });
    return { verified, idToken, nonce };
  }

  /** What the provider finds wrong with this server concerns everybody who signs in, and none of them could tell. */
  #tell(cause: unknown): void {
    if (!(cause instanceof ResponseBodyError) || !FAULTS_OF_CLIENT.has(cause.error)) return;
    const nowMs = this.#clock.now();
    if (nowMs - this.#toldMs < TELL_MS) return;
    this.#toldMs = nowMs;
    const { issuer, clientId } = this.#client;
    this.#logger.error("the identity provider refuses this server: look at its client there", undefined, {
      ...{ issuer, clientId, error: cause.error },
    });
  }

  async #opened(transaction: string): Promise<v.InferOutput<typeof TransactionSchema>> {
    try {
      const { payload } = await jwtDecrypt(transaction, this.#sealingKey, {
        currentDate: new Date(this.#clock.now()),
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
        requiredClaims: ["exp"],
      });
      return v.parse(TransactionSchema, payload);
    } catch (cause) {
      const text = "this sign-in was not begun here, or took longer than ten minutes";
      throw new AuthenticationError("ERR_SIGN_IN_EXPIRED", text, { cause });
    }
  }

  #discovered(): Promise<Configuration> {
    if (this.#configuration === undefined && this.#clock.now() - this.#failedMs < FAILURE_MS) {
      return Promise.reject(unavailable("the identity provider did not answer a moment ago"));
    }
    this.#configuration ??= this.#discover().catch((cause: unknown) => {
      this.#configuration = undefined;
      this.#failedMs = this.#clock.now();
      throw unavailable("the identity provider does not answer", cause);
    });
    return this.#configuration;
  }

  async #discover(): Promise<Configuration> {
    const { issuer, clientId } = this.#client;
    const ask = limitedFetch(FETCH);
    const authentication = this.#secret === undefined ? None() : ClientSecretPost(this.#secret);
    return await discovery(new URL(issuer), clientId, undefined, authentication, {
      [customFetch]: (url, { body, headers, method, signal }) =>
        ask(url, { ...(body instanceof URLSearchParams ? { body } : {}), headers, method, signal }),
      // Plain http was let through by the settings only for this machine.
      execute: issuer.startsWith("http:") ? [allowInsecureRequests] : [],
    });
  }
}

function refused(reason: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError("ERR_SIGN_IN_REFUSED", reason, { cause });
}

function unavailable(text: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError("ERR_SIGN_IN_UNAVAILABLE", text, { cause });
}
