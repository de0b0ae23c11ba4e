import { randomBytes } from "node:crypto";
import { utf8 } from "@photinus/core/bytes";
import type { CredentialSource } from "@photinus/core/session";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aFreePort } from "./a-free-port.ts";
import { aServer, type RunningServer } from "./a-server.ts";
import { type IdentityProvider, identityProvider, JOIN_CLIENT } from "./identity-provider.ts";
import { login } from "./log-in.ts";
import { Person } from "./person.ts";

// How a page that takes part as a site gets the token that its server wants beside the certificate.

let provider: IdentityProvider;
let server: RunningServer;
let origin = "";

beforeAll(async () => {
  const port = await aFreePort();
  origin = `http://127.0.0.1:${port}`;
  provider = await identityProvider({ joinRedirectUris: [`${origin}/join/signed-in`] });
  const { issuer } = provider;
  server = await aServer(
    {
      login: [{ issuer, audience: [JOIN_CLIENT], roles: ["site"], allow: { groups: ["fl-sites"] } }],
      joinPage: { issuer, clientId: JOIN_CLIENT, origin, scopes: ["groups"] },
    },
    { port },
  );
});
afterAll(async () => {
  await server.stop();
  await provider.stop();
});

const aNonce = (): string => randomBytes(32).toString("base64url");

/** Signs in; @returns the address to which the browser came back */
const comeBack = async (person: Person, nonce: string): Promise<URL> =>
  (await person.signIn(`${origin}/auth/join/sign-in?nonce=${nonce}`, `${origin}/join/signed-in`)).url;

/** What the page there asks. */
const askToken = (person: Person, { search }: URL, from = origin): Promise<Response> =>
  person.fetch(`${origin}/auth/join/token${search}`, { method: "POST", headers: { origin: from } });

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { readonly code: unknown }).code;

/** Signs in as a page lets its person. */
const signingIn = (account: string, change = (nonce: string): string => nonce): CredentialSource => ({
  async credentialFor({ nonce }) {
    const person = new Person(account);
    const response = await askToken(person, await comeBack(person, change(nonce)));
    return utf8(((await response.json()) as { readonly token: string }).token);
  },
});

test("an account without the claims gets a token that lets no site in, and so does one for another nonce", async () => {
  const refused = { code: "ERR_CREDENTIAL_REFUSED" };
  await expect(login(server, "site-1", signingIn("mallory"))).rejects.toMatchObject(refused);
  await expect(login(server, "site-1", signingIn("alice", aNonce))).rejects.toMatchObject(refused);
});

test("the token that a page gets is for its nonce, and lets its site in", async () => {
  const [alice, nonce] = [new Person("alice"), aNonce()];

  const response = await askToken(alice, await comeBack(alice, nonce));

  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^photinus-join-sign-in=; .*Max-Age=0/),
  ]);
  const { token, nonce: of } = (await response.json()) as { readonly token: string; readonly nonce: string };
  expect(of).toBe(nonce);
  expect(decodeJwt(token)).toMatchObject({ nonce, aud: JOIN_CLIENT, sub: "alice" });
  const session = await login(server, "site-1", signingIn("alice"));
  expect(session.scope).toBe("full");
  await session.close("ERR_GOING_AWAY");
});

test("a sign-in begins with the nonce of a site, and its cookie is for the own pages only", async () => {
  for (const nonce of ["", "short", `${"a".repeat(42)}!`, "a".repeat(44)]) {
    const response = await fetch(`${origin}/auth/join/sign-in?nonce=${nonce}`, { redirect: "manual" });
    expect([response.status, await codeOf(response)]).toEqual([401, "ERR_SIGN_IN_EXPIRED"]);
  }
  const begun = await fetch(`${origin}/auth/join/sign-in?nonce=${aNonce()}`, { redirect: "manual" });

  expect(begun.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^photinus-join-sign-in=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=600$/),
  ]);
  const asked = new URL(begun.headers.get("location") ?? "").searchParams;
  expect([asked.get("code_challenge_method"), asked.get("scope")]).toEqual(["S256", "openid groups"]);
});

test("what was begun in another browser, never, or is brought twice yields no token, and it is recorded", async () => {
  const [alice, victim] = [new Person("alice"), new Person("mallory")];
  const back = await comeBack(alice, aNonce());

  await victim.visit(`${origin}/auth/join/sign-in?nonce=${aNonce()}`, provider.issuer);
  expect(await codeOf(await askToken(victim, back))).toBe("ERR_SIGN_IN_REFUSED");
  expect(await codeOf(await askToken(new Person("x"), back))).toBe("ERR_SIGN_IN_EXPIRED");
  expect((await askToken(alice, back)).status).toBe(200);
  expect(await codeOf(await askToken(alice, back))).toBe("ERR_SIGN_IN_REFUSED");
  expect(await server.audited("sign-in")).toContainEqual(expect.objectContaining({ outcome: "refused" }));
});

test("a page of another origin gets no token", async () => {
  const alice = new Person("alice");
  const back = await comeBack(alice, aNonce());

  const response = await askToken(alice, back, "https://evil.example.org");

  expect([response.status, await codeOf(response)]).toEqual([403, "ERR_ORIGIN_REFUSED"]);
});

test("a server without such a provider says so, takes no code, and lets no page in", async () => {
  const { issuer } = provider;
  const other = await aServer({
    login: [{ issuer, audience: [JOIN_CLIENT], roles: ["site"], allow: { groups: ["fl-sites"] } }],
  });

  expect(await (await fetch(`${other.origin}/auth/join`)).json()).toEqual({ issuer: null });
  expect((await fetch(`${other.origin}/auth/join/token`, { method: "POST" })).status).toBe(405);
  expect((await fetch(`${other.origin}/auth/join/sign-in`)).status).toBe(404);
  await other.stop();
});
