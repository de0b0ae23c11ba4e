import { type Bytes, toBase64Url, utf8 } from "../bytes/index.ts";
import { AuthenticationError } from "../errors/index.ts";
import type { Connection, CryptoProvider } from "../platform/index.ts";
import { labelled } from "../wire/index.ts";
import { connectSession } from "./connect-session.ts";
import { CredentialRequiredError } from "./credential-required.ts";
import type { ConnectOptions, SessionModules } from "./options.ts";
import type { Session } from "./session.ts";

/** What a credential has to be made for. */
export interface CredentialRequest {
  /** Name of the project. */
  readonly project: string;
  /** What the server wants to see proved: 32 bytes, good for ten minutes and one login. */
  readonly challenge: Bytes;
  /** What an ID token has to carry: see {@link credentialNonce}. */
  readonly nonce: string;
}

/** Where a participant gets the credential that a server's authenticators want. */
export interface CredentialSource {
  /** @returns at most 8 KiB. May wait for a person */
  credentialFor(request: CredentialRequest, signal: AbortSignal): Promise<Bytes>;
}

/**
 * base64url(SHA-256(S("oidc", project ‖ SHA-256(SubjectPublicKeyInfo) ‖ challenge))): a token with this nonce is good
 * for one key, one login and one project, whoever gets hold of it.
 */
export async function credentialNonce(
  bound: { readonly project: string; readonly keyDigest: Bytes; readonly challenge: Bytes },
  { crypto }: { readonly crypto: CryptoProvider },
): Promise<string> {
  const { project, keyDigest, challenge } = bound;
  return toBase64Url(await crypto.sha256(labelled("oidc", utf8(project), keyDigest, challenge)));
}

/** Options of {@link openSession}. */
export interface OpenSessionOptions {
  /** As for {@link connectSession}. */
  readonly session: ConnectOptions;
  /** Where a credential comes from; absent: a server that wants one is not entered. */
  readonly credentials: CredentialSource | undefined;
}

/**
 * Opens a session; where the server wants a credential, gets one for its challenge and comes again, once.
 * @throws AuthenticationError `ERR_CREDENTIAL_REQUIRED`, `ERR_CREDENTIAL_REFUSED`, and what {@link connectSession} throws
 */
export async function openSession(
  connect: (signal: AbortSignal) => Promise<Connection>,
  { session: options, credentials }: OpenSessionOptions,
  { signal, ...modules }: SessionModules & { readonly signal: AbortSignal },
): Promise<Session> {
  let challenge: Bytes;
  try {
    return await connectSession(await connect(signal), options, modules);
  } catch (error) {
    if (!(error instanceof CredentialRequiredError) || credentials === undefined) throw error;
    challenge = error.challenge;
  }
  const { project, identity } = options;
  const keyDigest = await modules.crypto.sha256(identity.signingKey.publicKey);
  const nonce = await credentialNonce({ project, keyDigest, challenge }, modules);
  const externalCredential = await credentials.credentialFor({ project, challenge, nonce }, signal);
  signal.throwIfAborted();
  try {
    return await connectSession(await connect(signal), { ...options, externalCredential }, modules);
  } catch (error) {
    if (!(error instanceof CredentialRequiredError)) throw error;
    throw new AuthenticationError("ERR_CREDENTIAL_REFUSED", "the server asked again after a credential");
  }
}
