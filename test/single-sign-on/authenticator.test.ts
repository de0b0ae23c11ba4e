import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { utf8 } from "@photinus/core/bytes";
import { type AuthenticatorVerdict, credentialNonce, type PeerFacts } from "@photinus/core/session";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { oidcAuthenticator } from "../../packages/node-server/src/authentication/oidc-authenticator.ts";
import type { LoginProvider } from "../../packages/node-server/src/authentication/settings.ts";
import { type IdentityProvider, identityProvider, SITE_CLIENT } from "./identity-provider.ts";
import { Person } from "./person.ts";

const crypto = nodeCrypto();
const clock = systemClock();
const CALLBACK = "http://127.0.0.1:9/signed-in";
const CHALLENGE = new Uint8Array(32).fill(7);
const KEY = new Uint8Array(32).fill(8);

let provider: IdentityProvider;
beforeAll(async () => {
  provider = await identityProvider();
});
afterAll(() => provider.stop());

const settings = (change: Partial<LoginProvider> = {}): LoginProvider => ({
  issuer: provider.issuer,
  audience: [SITE_CLIENT],
  allow: { groups: ["fl-sites"] },
  ...change,
});

const facts = (token: string | undefined, change: Partial<PeerFacts> = {}): PeerFacts => ({
  project: "demo",
  name: "site-1",
  role: "site",
  org: "hospital",
  leafDigest: new Uint8Array(32),
  keyDigest: KEY,
  credential: token === undefined ? undefined : utf8(token),
  challenge: CHALLENGE,
  ...change,
});

const nonceOf = (change: Partial<{ project: string; keyDigest: typeof KEY; challenge: typeof KEY }> = {}) =>
  credentialNonce({ project: "demo", keyDigest: KEY, challenge: CHALLENGE, ...change }, { crypto });

/** What the authenticator says; a refusal that it throws is one as well, as the session layer has it. */
async function verdictOn(
  token: string | undefined,
  change: { readonly facts?: Partial<PeerFacts>; readonly settings?: Partial<LoginProvider> } = {},
): Promise<AuthenticatorVerdict | string> {
  const authenticator = oidcAuthenticator(settings(change.settings), { clock, crypto });
  try {
    return await authenticator.authenticate(facts(token, change.facts), new AbortController().signal);
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** What a token of the provider says, to differ from in one thing. */
const claimsOf = async (change: JWTPayload = {}): Promise<JWTPayload> => ({
  iss: provider.issuer,
  sub: "alice",
  aud: SITE_CLIENT,
  groups: ["fl-sites"],
  nonce: await nonceOf(),
  iat: seconds(),
  exp: seconds() + 600,
  ...change,
});

/** An ID token by the code flow with PKCE, of the real provider. */
async function tokenOf(account: string, nonce: string): Promise<string> {
  const verifier = "a-verifier-that-is-long-enough-for-the-provider-to-take";
  const challenge = Buffer.from(await crypto.sha256(utf8(verifier))).toString("base64url");
  const query = new URLSearchParams({
    client_id: SITE_CLIENT,
    response_type: "code",
    redirect_uri: CALLBACK,
    scope: "openid groups",
    nonce,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  const { url } = await new Person(account).signIn(`${provider.issuer}/auth?${query}`, CALLBACK);
  const response = await fetch(`${provider.issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      client_id: SITE_CLIENT,
      grant_type: "authorization_code",
      code: url.searchParams.get("code") ?? "",
      redirect_uri: CALLBACK,
      code_verifier: verifier,
    }),
  });
  const { id_token: token } = (await response.json()) as { readonly id_token: string };
  return token;
}

test("a token that the provider made for this key, project and challenge lets in", async () => {
  const verdict = await verdictOn(await tokenOf("alice", await nonceOf()));

  expect(verdict).toMatchObject({ admitted: true, claims: { issuer: provider.issuer, subject: "alice" } });
});

test("a token of somebody whom the configuration does not let in is refused", async () => {
  const verdict = await verdictOn(await tokenOf("mallory", await nonceOf()));

  expect(verdict).toMatchObject({ admitted: false, reason: expect.stringContaining("none of the claims") });
});

test("a token for another key, another project or another challenge is refused", async () => {
  const other = new Uint8Array(32).fill(9);
  for (const change of [{ keyDigest: other }, { project: "another" }, { challenge: other }]) {
    expect(await verdictOn(await provider.sign(await claimsOf({ nonce: await nonceOf(change) })))).toContain(
      "nonce",
    );
  }
  expect(await verdictOn(await provider.sign(await claimsOf()))).toMatchObject({ admitted: true });
});

test("without an open challenge, or without a token, nobody is let in", async () => {
  const token = await provider.sign(await claimsOf());

  expect(await verdictOn(token, { facts: { challenge: undefined } })).toMatchObject({ admitted: false });
  expect(await verdictOn(undefined)).toMatchObject({ admitted: false });
});

test("forged and foreign tokens are refused, each for its one difference", async () => {
  const foreign = await generateKeyPair("RS256");
  const shared = new TextEncoder().encode("a secret of thirty-two bytes or more");
  const claims = await claimsOf();
  const header = { alg: "RS256", kid: "of-the-provider" };
  const tokens: readonly (readonly [token: string, reason: string])[] = [
    [
      await new SignJWT(claims).setProtectedHeader(header).sign(foreign.privateKey),
      "not signed by the provider",
    ],
    [
      await new SignJWT(claims).setProtectedHeader({ ...header, kid: "unknown" }).sign(foreign.privateKey),
      "no such key",
    ],
    [new UnsecuredJWT(claims).encode(), "not"],
    [
      await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "of-the-provider" }).sign(shared),
      "not allowed",
    ],
    [await provider.sign(await claimsOf({ aud: "somebody-else" })), "aud"],
    [await provider.sign(await claimsOf({ iss: "https://elsewhere.example" })), "iss"],
    [await provider.sign(await claimsOf({ iat: seconds() - 120, exp: seconds() - 60 })), "run out"],
    [await provider.sign(await claimsOf({ iat: seconds() - 7200 })), "run out, or is too old"],
    [await provider.sign(await claimsOf({ iat: seconds() + 3600 })), "iat"],
    [await provider.sign(await claimsOf({ nbf: seconds() + 3600 })), "nbf"],
    [await provider.sign(await claimsOf({ azp: "somebody-else" })), "azp"],
    [await provider.sign(await claimsOf({ aud: [SITE_CLIENT, "somebody-else"] })), "azp"],
    [await provider.sign(claims, { typ: "at+jwt" }), "no ID token"],
    [await provider.sign(await claimsOf({ sub: "" })), "no subject"],
    ["a.b.c", "no ID token"],
    ["", "no ID token"],
    ["x".repeat(9000), "too large"],
  ];
  for (const [token, reason] of tokens) expect(await verdictOn(token), reason).toContain(reason);
  for (const name of ["nonce", "sub", "exp", "iat", "aud"]) {
    const { [name]: _left, ...rest } = claims;
    expect(await verdictOn(await provider.sign(rest)), name).toEqual(expect.any(String));
  }
});

test("one bit that differs in a token refuses it", async () => {
  const token = await provider.sign(await claimsOf());
  for (const at of [5, token.indexOf(".") + 20, token.length - 10]) {
    const turned = token[at] === "A" ? "B" : "A";
    expect(await verdictOn(token.slice(0, at) + turned + token.slice(at + 1))).toEqual(expect.any(String));
  }
});

test("the signature has to be one that the configuration allows", async () => {
  const token = await provider.sign(await claimsOf());

  expect(await verdictOn(token, { settings: { algorithms: ["ES256"] } })).toContain("not allowed");
});

test("a name that the configuration ties to the certificate has to be that of the certificate", async () => {
  const of = async (name: string) => provider.sign(await claimsOf({ preferred_username: name }));
  const tied = { settings: { nameClaim: "preferred_username" } };

  expect(await verdictOn(await of("site-1"), tied)).toMatchObject({ admitted: true });
  expect(await verdictOn(await of("site-2"), tied)).toMatchObject({ admitted: false });
});

test("claims inside claims can decide, and a claim of another kind decides nothing", async () => {
  const nested = { settings: { allow: { "realm_access.roles": ["site"] } } };

  expect(
    await verdictOn(await provider.sign(await claimsOf({ realm_access: { roles: ["site"] } })), nested),
  ).toMatchObject({
    admitted: true,
  });
  for (const realm of [{ roles: { site: true } }, ["site"], "site", null, { roles: [["site"]] }]) {
    const token = await provider.sign(await claimsOf({ realm_access: realm }));
    expect(await verdictOn(token, nested)).toMatchObject({ admitted: false });
  }
  expect(
    await verdictOn(await provider.sign(await claimsOf()), { settings: { allow: { constructor: ["x"] } } }),
  ).toMatchObject({ admitted: false });
});

test("an admission lasts as long as the token, or as the configuration says", async () => {
  const exp = seconds() + 300;
  const token = await provider.sign(await claimsOf({ exp }));

  expect(await verdictOn(token)).toMatchObject({ expiresAtMs: exp * 1000 });
  const longer = await verdictOn(token, { settings: { admitMinutes: 60 } });
  expect(longer).toMatchObject({ admitted: true });
  expect(typeof longer === "string" || !longer.admitted ? 0 : longer.expiresAtMs).toBeGreaterThan(
    Date.now() + 3_500_000,
  );
});

test("keys are fetched once for many logins, and an unknown key asks once more at most", async () => {
  const own = await identityProvider();
  try {
    const authenticator = oidcAuthenticator({ ...settings(), issuer: own.issuer }, { clock, crypto });
    const { signal } = new AbortController();
    const token = await own.sign(await claimsOf({ iss: own.issuer }));
    const unknown = await own.sign(await claimsOf({ iss: own.issuer }), { kid: "unknown" });
    for (let login = 0; login < 5; login += 1) await authenticator.authenticate(facts(token), signal);
    for (let login = 0; login < 5; login += 1) {
      await expect(authenticator.authenticate(facts(unknown), signal)).rejects.toThrow("no such key");
    }

    expect(own.keyRequests()).toBeLessThanOrEqual(2);
    await own.stop();
    // Keys that are kept serve while the provider is away; without any, nobody is let in.
    expect(await authenticator.authenticate(facts(token), signal)).toMatchObject({ admitted: true });
    const late = oidcAuthenticator({ ...settings(), issuer: own.issuer }, { clock, crypto });
    await expect(late.authenticate(facts(token), signal)).rejects.toMatchObject({
      code: "ERR_SIGN_IN_UNAVAILABLE",
    });
    await expect(late.authenticate(facts(token), signal)).rejects.toThrow("a moment ago");
  } finally {
    await own.stop().catch(() => undefined);
  }
});

test("a discovery document of another issuer, too large, or that leads elsewhere is not followed", async () => {
  const answers: readonly ((issuer: string) => string)[] = [
    () => JSON.stringify({ issuer: "https://elsewhere.example", jwks_uri: `${provider.issuer}/jwks` }),
    (issuer) => JSON.stringify({ issuer, jwks_uri: "http://elsewhere.example/jwks" }),
    (issuer) => JSON.stringify({ issuer, jwks_uri: "file:///etc/passwd" }),
    (issuer) => JSON.stringify({ issuer, jwks_uri: `${provider.issuer}/jwks`, padding: "x".repeat(300_000) }),
    () => "<html>",
  ];
  for (const answer of answers) {
    const server = createServer((_request, response) => response.end(answer(issuer)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const token = await provider.sign(await claimsOf({ iss: issuer }));
    expect(await verdictOn(token, { settings: { issuer } })).toEqual(expect.any(String));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a redirect of the provider is not followed", async () => {
  const server = createServer((_request, response) =>
    response.writeHead(302, { location: `${provider.issuer}/.well-known/openid-configuration` }).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  expect(
    await verdictOn(await provider.sign(await claimsOf({ iss: issuer })), { settings: { issuer } }),
  ).toContain("does not answer");
  await new Promise((resolve) => server.close(resolve));
});
