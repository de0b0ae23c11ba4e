import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { authenticationOf, clientSecretsOf, credentialsOf } from "../src/local-settings.ts";

let kit: string;
beforeEach(async () => {
  kit = await mkdtemp(join(tmpdir(), "photinus-settings-"));
  await mkdir(join(kit, "local"));
});
afterEach(() => rm(kit, { recursive: true, force: true }));

const LOGIN = {
  issuer: "https://id.example.org/realms/hospital",
  audience: ["photinus-site"],
  allow: { groups: ["fl-sites"] },
};
const DASHBOARD = {
  issuer: "https://id.example.org/realms/hospital",
  clientId: "photinus-dashboard",
  origin: "https://fl.example.org",
  users: [{ claims: { groups: ["fl-admins"] }, role: "project_admin", org: "hospital" }],
};

const JOIN_PAGE = {
  issuer: "https://id.example.org/realms/hospital",
  clientId: "photinus-site",
  origin: "https://fl.example.org",
};

async function serverSays(content: unknown): Promise<string> {
  const text = typeof content === "string" ? content : JSON.stringify(content, undefined, 2);
  await writeFile(join(kit, "local", "authentication.json"), text);
  try {
    return JSON.stringify(await authenticationOf(kit));
  } catch (error) {
    return error instanceof Error ? error.message.replace(kit, "kit") : "";
  }
}

test("without a file there are no identity providers", async () => {
  expect(await authenticationOf(kit)).toBeUndefined();
  expect(await credentialsOf(kit, () => undefined)).toBeUndefined();
});

test("a file says who is asked at login, and how people sign in on the dashboard", async () => {
  expect(JSON.parse(await serverSays({ login: [LOGIN], dashboard: DASHBOARD }))).toEqual({
    login: [LOGIN],
    dashboard: DASHBOARD,
  });
});

test("pages sign in as a client whose tokens are let in; as another one the server does not start", async () => {
  const [settings, other] = [JOIN_PAGE, { ...JOIN_PAGE, clientId: "other" }];

  expect(JSON.parse(await serverSays({ login: [LOGIN], joinPage: settings }))).toEqual({
    login: [LOGIN],
    joinPage: settings,
  });
  expect(await serverSays({ login: [LOGIN], joinPage: other })).toMatch(
    /authentication\.json:\d+:\d+ joinPage\.clientId: expected a client in the audience/,
  );
  expect(await serverSays({ joinPage: settings })).toMatch(/joinPage\.clientId: expected a client/);
});

test("the secrets of both clients are read from local/, and a file that is missing is a fault", async () => {
  await writeFile(join(kit, "local", "one"), "first\n", { mode: 0o600 });
  await writeFile(join(kit, "local", "two"), "second\n", { mode: 0o600 });
  const settings = {
    dashboard: { ...DASHBOARD, clientSecretFile: "one", users: [] },
    joinPage: { ...JOIN_PAGE, clientSecretFile: "two" },
  };

  expect(await clientSecretsOf(kit, settings)).toEqual({
    dashboardSecret: "first",
    joinPageSecret: "second",
  });
  expect(await clientSecretsOf(kit, undefined)).toEqual({});
  const missing = { joinPage: { ...JOIN_PAGE, clientSecretFile: "three" } };
  await expect(clientSecretsOf(kit, missing)).rejects.toMatchObject({ code: "ERR_KIT_UNREADABLE" });
});

test("a fault is named with file, line and column, and never with the value", async () => {
  const of = (change: object): object => ({ login: [{ ...LOGIN, ...change }] });
  const faults: readonly (readonly [content: unknown, said: RegExp])[] = [
    [
      of({ issuer: "http://id.example.org" }),
      /^kit\/local\/authentication\.json:4:7 login\.0\.issuer: expected an https/,
    ],
    [of({ issuer: "https://user:secret@id.example.org" }), /login\.0\.issuer: expected an https/],
    [of({ issuer: "https://id.example.org/?q" }), /an issuer has no query/],
    [of({ issuer: "javascript:alert(1)" }), /login\.0\.issuer: expected an https/],
    [of({ allow: {} }), /:8:7 login\.0\.allow: name at least one claim/],
    [of({ audience: [] }), /login\.0\.audience: /],
    [of({ algorithms: ["none"] }), /login\.0\.algorithms\.0: /],
    [of({ algorithms: ["HS256"] }), /login\.0\.algorithms\.0: /],
    [of({ roles: ["server"] }), /login\.0\.roles\.0: expected site/],
    [of({ admitMinutes: 721 }), /login\.0\.admitMinutes: /],
    [of({ alow: 1 }), /:13:7 login\.0\.alow: unknown key/],
    [
      { dashboard: { ...DASHBOARD, origin: "https://fl.example.org/app" } },
      /dashboard\.origin: expected scheme, host and port/,
    ],
    [{ dashboard: { ...DASHBOARD, clientSecret: "hunter2" } }, /dashboard\.clientSecret: unknown key$/],
    [{ dashboard: { ...DASHBOARD, users: [] } }, /dashboard\.users: /],
    [
      { dashboard: { ...DASHBOARD, users: [{ claims: { a: ["b"] }, role: "site", org: "x" }] } },
      /users\.0\.role: /,
    ],
    ["{", /^kit\/local\/authentication\.json:1:2 /],
    ['{"login": 1, "login": 2}', /:1:14 .*unique/],
    ['{"login": [],}', /is not JSON/],
    ["[]", /:1:1 /],
    [`"${"x".repeat(1_048_577)}"`, /no plain file of at most/],
  ];
  for (const [content, said] of faults) expect(await serverSays(content)).toMatch(said);
});

test("a file that cannot be read is a fault, not its absence", async () => {
  const path = join(kit, "local", "authentication.json");
  await symlink("/etc/hostname", path);
  await expect(authenticationOf(kit)).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" });
  await rm(path);
  await mkdir(path);
  await chmod(path, 0o700);
  await expect(authenticationOf(kit)).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" });
});

test("a site's file says where it signs in, and a fault in it has its place", async () => {
  const path = join(kit, "local", "sign-in.json");
  const settings = { issuer: "https://id.example.org", clientId: "photinus-site", flow: "device" };
  await writeFile(path, JSON.stringify(settings));
  expect(await credentialsOf(kit, () => undefined)).toMatchObject({ credentialFor: expect.any(Function) });

  for (const change of [
    { flow: "password" },
    { issuer: "http://id.example.org" },
    { secret: "x" },
    { scopes: ["a b"] },
  ]) {
    await writeFile(path, JSON.stringify({ ...settings, ...change }));
    await expect(credentialsOf(kit, () => undefined)).rejects.toThrow(/sign-in\.json:1:\d+ \w+/);
  }
});
