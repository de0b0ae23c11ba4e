import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import Provider, { type ProviderContext } from "oidc-provider";

/** A real OpenID provider on loopback. */
export interface IdentityProvider {
  readonly issuer: string;
  /** A token signed by the provider's own key: for tokens that differ from a real one in one thing. */
  readonly sign: (claims: JWTPayload, header?: Partial<JWTHeaderParameters>) => Promise<string>;
  /** Requests for its keys so far. */
  readonly keyRequests: () => number;
  /** Ends it; its address answers nothing any more. */
  readonly stop: () => Promise<void>;
}

/** Options of {@link identityProvider}. */
export interface IdentityProviderOptions {
  /** Where the dashboard is called back. */
  readonly redirectUris?: readonly string[];
  /** Where pages that take part as sites are called back. */
  readonly joinRedirectUris?: readonly string[];
  /** Life of an ID token in seconds. Default 600. */
  readonly tokenSeconds?: number;
  /** Tokens of the device flow carry the nonce, as Keycloak's do and those of oidc-provider do not. Default false. */
  readonly deviceNonce?: boolean;
}

/** Groups of the people that the provider knows; everybody's address is `<name>@example.org`. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  alice: ["fl-sites", "fl-admins"],
  mallory: ["visitors"],
  lee: ["fl-leads"],
};

const page = (context: { body: unknown }, content: string): void => {
  context.body = `<!doctype html><html lang="en"><title>Device</title>${content}</html>`;
};

/** Plain pages in place of the provider's own, which load a font from elsewhere. */
const DEVICE_PAGES = {
  userCodeInputSource: page,
  userCodeConfirmSource: page,
  successSource: (context: { body: unknown }) => page(context, "<h1>Signed in</h1>"),
};

export const SITE_CLIENT = "photinus-site";
export const JOIN_CLIENT = "photinus-join";
export const DASHBOARD_CLIENT = "photinus-dashboard";
export const DASHBOARD_SECRET = "a secret of this test only";

/** Starts oidc-provider: clients for sites (device flow) and for the dashboard (code with PKCE), people who sign in by a form. */
export async function identityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = "of-the-provider";
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const jwks = { keys: [{ ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" }] };
  const provider = new Provider(issuer, configurationOf(options, jwks));
  let keyRequests = 0;
  if (options.deviceNonce === true) provider.use(noteNonce);
  const answer = provider.callback();
  server.on("request", (request, response) => {
    if (request.url === "/jwks") keyRequests += 1;
    if (request.url?.startsWith("/interaction/") === true) void interact(provider, request, response);
    else answer(request, response);
  });
  return {
    issuer,
    sign: (claims, header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(privateKey),
    keyRequests: () => keyRequests,
    stop: () => stop(server),
  };
}

function configurationOf(
  { redirectUris = [], joinRedirectUris = [], tokenSeconds = 600 }: IdentityProviderOptions,
  jwks: object,
): object {
  return {
    jwks,
    clients: [
      {
        client_id: SITE_CLIENT,
        token_endpoint_auth_method: "none",
        application_type: "native",
        grant_types: ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
        redirect_uris: ["http://127.0.0.1/signed-in"],
      },
      {
        client_id: JOIN_CLIENT,
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code"],
        redirect_uris: joinRedirectUris.length === 0 ? ["http://127.0.0.1:1/never"] : joinRedirectUris,
      },
      {
        client_id: DASHBOARD_CLIENT,
        client_secret: DASHBOARD_SECRET,
        grant_types: ["authorization_code"],
        redirect_uris: redirectUris.length === 0 ? ["http://127.0.0.1:1/never"] : redirectUris,
      },
    ],
    claims: { openid: ["sub"], email: ["email"], groups: ["groups"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["of this test only"] },
    features: { deviceFlow: { enabled: true, ...DEVICE_PAGES }, devInteractions: { enabled: false } },
    ttl: {
      IdToken: tokenSeconds,
      AccessToken: 60,
      DeviceCode: 600,
      Grant: 600,
      Interaction: 600,
      Session: 600,
    },
    interactions: { url: (_context: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId, email: `${accountId}@example.org`, groups: GROUPS[accountId] ?? [] }),
    }),
    loadExistingGrant: consented,
  };
}

/** Keeps the nonce of a device's request with its code. */
async function noteNonce(context: Partial<ProviderContext>, next: () => Promise<void>): Promise<void> {
  await next();
  const { deviceCode, params } = context.oidc ?? {};
  if (deviceCode?.accountId === undefined || params?.nonce === undefined) return;
  deviceCode.nonce = params.nonce;
  await deviceCode.save();
}

/** Everybody consents to everything. */
async function consented({ oidc }: ProviderContext) {
  const grant = new oidc.provider.Grant({
    accountId: oidc.session.accountId,
    clientId: oidc.client.clientId,
  });
  grant.addOIDCScope("openid email groups");
  await grant.save();
  return grant;
}

/** The form by which people sign in. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "POST") {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(
      `<!doctype html><html lang="en"><title>Sign in</title><link rel="icon" href="data:,"><h1>Identity provider</h1>
       <form method="post"><label>Account <input name="account"></label> <button>Sign in</button></form></html>`,
    );
    return;
  }
  let body = "";
  for await (const part of request) body += part;
  const accountId = new URLSearchParams(body).get("account") ?? "";
  await provider.interactionFinished(request, response, { login: { accountId }, consent: {} });
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
