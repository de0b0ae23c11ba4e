import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Bytes, utf8 } from "@photinus/core/bytes";
import { AuthenticationError } from "@photinus/core/errors";
import type { CredentialRequest, CredentialSource } from "@photinus/core/session";
import { limitedFetch } from "@photinus/node-platform";
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  initiateDeviceAuthorization,
  None,
  pollDeviceAuthorizationGrant,
  randomPKCECodeVerifier,
  randomState,
} from "openid-client";
import type { SignInSettings } from "./sign-in-settings.ts";

/** What {@link oidcCredentials} works with. */
export interface OidcCredentialModules {
  /** Shows a person what to do. @param text one line, printable */
  readonly tell: (text: string) => void;
}

const FETCH = { bytes: 262_144, timeoutMs: 10_000 };
/** A person has as long as the server's challenge is good for, ms. */
const PATIENCE_MS = 600_000;
const CALLBACK_PATH = "/signed-in";

/** Gets an ID token for each challenge of the server: a person signs in at the organization's OpenID provider. */
export function oidcCredentials(settings: SignInSettings, { tell }: OidcCredentialModules): CredentialSource {
  return {
    async credentialFor({ nonce }: CredentialRequest, stop: AbortSignal): Promise<Bytes> {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)]);
      const run: SignInRun = { settings, nonce, signal, tell };
      try {
        const configuration = await configurationOf(settings);
        const token = await (settings.flow === "device" ? byDevice : byBrowser)(configuration, run);
        return utf8(token);
      } catch (error) {
        stop.throwIfAborted();
        if (error instanceof AuthenticationError) throw error;
        // What a library says may quote the token; its kind of failure is enough.
        const kind = error instanceof Error ? error.name : "error";
        throw refused(`signing in at ${settings.issuer} did not succeed (${kind})`, error);
      }
    },
  };
}

interface SignInRun {
  readonly settings: SignInSettings;
  readonly nonce: string;
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

async function configurationOf({ issuer, clientId }: SignInSettings): Promise<Configuration> {
  const ask = limitedFetch(FETCH);
  return await discovery(new URL(issuer), clientId, undefined, None(), {
    [customFetch]: (url, { body, headers, method, signal }) =>
      ask(url, { ...(body instanceof URLSearchParams ? { body } : {}), headers, method, signal }),
    // Plain http was let through by the settings only for this machine.
    execute: issuer.startsWith("http:") ? [allowInsecureRequests] : [],
  });
}

const scopeOf = ({ scopes = ["openid"] }: SignInSettings): string =>
  [...new Set(["openid", ...scopes])].join(" ");

/** RFC 8628. */
async function byDevice(configuration: Configuration, run: SignInRun): Promise<string> {
  const { settings, nonce, signal, tell } = run;
  const grant = await initiateDeviceAuthorization(configuration, { scope: scopeOf(settings), nonce });
  const address = grant.verification_uri_complete ?? grant.verification_uri;
  tell(`Sign in at ${printable(address)} with the code ${printable(grant.user_code)}`);
  const tokens = await pollDeviceAuthorizationGrant(configuration, grant, undefined, { signal });
  if (tokens.claims()?.nonce !== nonce) {
    throw refused(`${settings.issuer} puts no nonce into tokens of the device flow: set "flow" to "browser"`);
  }
  return idTokenOf(tokens);
}

/** RFC 8252, section 7.3: the provider sends the browser back to this machine. */
async function byBrowser(configuration: Configuration, run: SignInRun): Promise<string> {
  const { settings, nonce, signal, tell } = run;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  try {
    const { port } = server.address() as AddressInfo; // listening at a port, not at a pipe
    const redirectUri = `http://127.0.0.1:${port}${CALLBACK_PATH}`;
    const verifier = randomPKCECodeVerifier();
    const state = randomState();
    const address = buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: scopeOf(settings),
      nonce,
      state,
      code_challenge: await calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    const back = calledBack(server, { state, redirectUri, signal });
    tell(`Sign in on this machine at ${printable(address.href)}`);
    const tokens = await authorizationCodeGrant(configuration, await back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    return idTokenOf(tokens);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

interface Waiting {
  readonly state: string;
  readonly redirectUri: string;
  readonly signal: AbortSignal;
}

/** The address with which the browser comes back; anything else that asks this port is turned away. */
function calledBack(server: Server, { state, redirectUri, signal }: Waiting): Promise<URL> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(refused("nobody signed in within ten minutes")), {
      once: true,
    });
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const url = new URL(request.url ?? "/", redirectUri);
      const isOurs = url.pathname === CALLBACK_PATH && url.searchParams.get("state") === state;
      response.writeHead(isOurs ? 200 : 404, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        connection: "close",
      });
      response.end(isOurs ? "You may close this page.\n" : "Nothing is here.\n");
      if (isOurs) resolve(url);
    });
  });
}

function idTokenOf({ id_token: token }: { readonly id_token?: string | undefined }): string {
  if (token === undefined) throw refused("the provider made no ID token");
  return token;
}

/** A terminal obeys control characters; an address and a code have none. */
function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, "").slice(0, 4_096);
}

function refused(reason: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError("ERR_CREDENTIAL_REFUSED", reason, { cause });
}
