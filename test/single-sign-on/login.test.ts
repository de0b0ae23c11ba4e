import { utf8 } from "@photinus/core/bytes";
import type { CredentialSource } from "@photinus/core/session";
import { oidcCredentials, type SignInSettings } from "@photinus/node-client";
import type { LoginProvider } from "@photinus/node-server";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { aServer, type RunningServer } from "./a-server.ts";
import { type IdentityProvider, identityProvider, SITE_CLIENT } from "./identity-provider.ts";
import { login } from "./log-in.ts";
import { Person } from "./person.ts";

let binding: IdentityProvider;
let forgetful: IdentityProvider;
beforeAll(async () => {
  [binding, forgetful] = await Promise.all([identityProvider({ deviceNonce: true }), identityProvider()]);
});
afterAll(() => Promise.all([binding.stop(), forgetful.stop()]));

const running: RunningServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function serverOf(issuer: string, change: Partial<LoginProvider> = {}): Promise<RunningServer> {
  const server = await aServer({
    login: [{ issuer, audience: [SITE_CLIENT], roles: ["site"], allow: { groups: ["fl-sites"] }, ...change }],
  });
  running.push(server);
  return server;
}

/** Signs in as this person wherever the site says. */
function signingIn(account: string, issuer: string, flow: SignInSettings["flow"]): CredentialSource {
  const person = new Person(account);
  return oidcCredentials(
    { issuer, clientId: SITE_CLIENT, flow, scopes: ["groups"] },
    {
      tell: (text) => {
        const [address = ""] = /http\S+/.exec(text) ?? [];
        void (flow === "device" ? person.allowDevice(address) : person.signIn(address)).catch(
          () => undefined,
        );
      },
    },
  );
}

test("a Node site signs in by a browser on its machine, and is admitted", async () => {
  const server = await serverOf(forgetful.issuer);
  const session = await login(server, "site-1", signingIn("alice", forgetful.issuer, "browser"));

  expect(session.scope).toBe("full");
  expect(await server.audited("authenticate")).toMatchObject([
    { outcome: "accepted", object: `oidc ${forgetful.issuer}`, details: { subject: "alice" } },
  ]);
  await session.close("ERR_GOING_AWAY");
  // It holds for the certificate: a dropped connection sends nobody to the provider again.
  const again = await login(server, "site-1", undefined);
  expect(again.scope).toBe("full");
  await again.close("ERR_GOING_AWAY");
});

test("a Node site signs in by the device flow where the provider binds the nonce", async () => {
  const server = await serverOf(binding.issuer);
  const session = await login(server, "site-1", signingIn("alice", binding.issuer, "device"));

  expect(session.scope).toBe("full");
  await session.close("ERR_GOING_AWAY");
});

test("a provider that does not bind the nonce in the device flow is told from one that does", async () => {
  const server = await serverOf(forgetful.issuer);

  await expect(login(server, "site-1", signingIn("alice", forgetful.issuer, "device"))).rejects.toMatchObject(
    {
      code: "ERR_CREDENTIAL_REFUSED",
      message: expect.stringContaining('set "flow" to "browser"'),
    },
  );
});

test("somebody without the claim that lets in is refused with the reason, and the refusal is recorded", async () => {
  const server = await serverOf(binding.issuer);

  await expect(
    login(server, "site-1", signingIn("mallory", binding.issuer, "browser")),
  ).rejects.toMatchObject({
    code: "ERR_CREDENTIAL_REFUSED",
    message: expect.stringContaining("none of the claims"),
  });
  expect(await server.audited("authenticate")).toMatchObject([{ outcome: "refused", object: "site-1" }]);
});

test("a token that was made for one site opens nothing for another participant, nor a second time", async () => {
  const server = await serverOf(binding.issuer, { roles: ["site", "project_admin"] });
  const stolen: Uint8Array<ArrayBuffer>[] = [];
  const honest = signingIn("alice", binding.issuer, "browser");
  const keeping: CredentialSource = {
    async credentialFor(request, signal) {
      const credential = await honest.credentialFor(request, signal);
      stolen.push(credential.slice());
      return credential;
    },
  };
  await (await login(server, "site-1", keeping)).close("ERR_GOING_AWAY");
  const thief: CredentialSource = { credentialFor: async () => stolen[0] ?? utf8("") };

  await expect(login(server, "demo@example.org", thief)).rejects.toMatchObject({
    code: "ERR_CREDENTIAL_REFUSED",
  });
});

test("roles that the configuration leaves out log in by their certificate alone", async () => {
  const server = await serverOf(binding.issuer);
  const session = await login(server, "demo@example.org", undefined);

  expect(session.scope).toBe("full");
  await session.close("ERR_GOING_AWAY");
});

test("a site that is not told where to sign in hears that it has to", async () => {
  const server = await serverOf(binding.issuer);

  await expect(login(server, "site-1", undefined)).rejects.toMatchObject({ code: "ERR_CREDENTIAL_REQUIRED" });
});

test("while the provider is away nobody is let in", async () => {
  const away = await identityProvider();
  const server = await serverOf(away.issuer);
  const token = await away.sign({ iss: away.issuer, sub: "alice", aud: SITE_CLIENT, groups: ["fl-sites"] });
  await away.stop();

  await expect(login(server, "site-1", { credentialFor: async () => utf8(token) })).rejects.toMatchObject({
    code: "ERR_CREDENTIAL_REFUSED",
    message: expect.stringContaining("does not answer"),
  });
});
