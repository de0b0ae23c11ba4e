import { parsePolicy } from "@photinus/core/authorization";
import { connect } from "@photinus/core/console";
import { StorageError } from "@photinus/core/errors";
import { type AuditStore, type Logger, silentLogger } from "@photinus/core/platform";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import type { DashboardProvider } from "@photinus/node-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { smallJob } from "../federation/scripted-trainer.ts";
import { aFreePort } from "./a-free-port.ts";
import { aServer, type RunningServer } from "./a-server.ts";
import {
  DASHBOARD_CLIENT,
  DASHBOARD_SECRET,
  type IdentityProvider,
  identityProvider,
} from "./identity-provider.ts";
import { Person } from "./person.ts";

const JOB = "0123456789abcdef0123456789abcdef";

let port = 0;
let provider: IdentityProvider;
let server: RunningServer;
let origin = "";

const dashboard = (change: Partial<DashboardProvider> = {}): DashboardProvider => ({
  issuer: provider.issuer,
  clientId: DASHBOARD_CLIENT,
  origin,
  scopes: ["email", "groups"],
  users: [
    { claims: { groups: ["fl-admins"] }, role: "project_admin", org: "demo" },
    { claims: { groups: ["fl-leads"] }, role: "lead", org: "demo" },
  ],
  ...change,
});

beforeAll(async () => {
  port = await aFreePort();
  origin = `http://127.0.0.1:${port}`;
  provider = await identityProvider({ redirectUris: [`${origin}/auth/signed-in`] });
  server = await aServer({ dashboard: dashboard() }, { port, dashboardSecret: DASHBOARD_SECRET });
});
afterAll(async () => {
  await server.stop();
  await provider.stop();
});

interface SessionView {
  readonly issuer: string | null;
  readonly user: { readonly name: string; readonly role: string; readonly org: string } | null;
}

const viewOf = async (person: Person): Promise<SessionView> =>
  (await (await person.fetch(`${origin}/api/session`)).json()) as SessionView;

/** Signs in; @returns where the browser ends up. */
const signIn = async (person: Person): Promise<string> =>
  (await person.signIn(`${origin}/auth/sign-in`, `${origin}/#`)).url.href;

const post = (person: Person, path: string, from: string | undefined = origin): Promise<Response> =>
  person.fetch(origin + path, { method: "POST", headers: from === "" ? {} : { origin: from } });

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { readonly code: unknown }).code;

test("somebody whom a rule knows signs in, is shown with role and organization, reads, and signs out", async () => {
  const alice = new Person("alice");
  expect(await viewOf(alice)).toEqual({ issuer: provider.issuer, user: null });

  await signIn(alice);
  expect(await viewOf(alice)).toMatchObject({
    user: { name: "alice@example.org", role: "project_admin", org: "demo" },
  });
  expect((await alice.fetch(`${origin}/api/jobs`)).status).toBe(200);

  expect((await post(alice, "/auth/sign-out")).status).toBe(204);
  expect((await viewOf(alice)).user).toBeNull();
  expect((await alice.fetch(`${origin}/api/jobs`)).status).toBe(401);
  expect(await server.audited("sign-in")).toMatchObject([
    { actor: "sign-in alice@example.org", outcome: "accepted", details: { role: "project_admin" } },
  ]);
  expect(await server.audited("sign-out")).toHaveLength(1);
});

test("the cookie is for this server's pages only, no script reads it, and it is no token of the provider", async () => {
  const alice = new Person("alice");
  const begun = await fetch(`${origin}/auth/sign-in`, { redirect: "manual" });
  expect(begun.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^photinus-sign-in=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/),
  ]);
  expect(new URL(begun.headers.get("location") ?? "").searchParams.get("code_challenge_method")).toBe("S256");

  const seen: string[] = [];
  alice.onCookie = (line) => seen.push(line);
  await signIn(alice);
  const ours = seen.filter((line) => line.startsWith("photinus-session"));
  expect(ours).toEqual([
    expect.stringMatching(/^photinus-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
  ]);
});

test("somebody whom no rule knows is sent back with the code of the refusal, and it is recorded", async () => {
  const mallory = new Person("mallory");

  expect(await signIn(mallory)).toBe(`${origin}/#refused=ERR_SIGN_IN_REFUSED`);
  expect((await viewOf(mallory)).user).toBeNull();
  expect(await server.audited("sign-in")).toContainEqual(expect.objectContaining({ outcome: "refused" }));
});

test("a sign-in that was begun in another browser, twice, or never, is refused", async () => {
  const [alice, victim] = [new Person("alice"), new Person("mallory")];
  const back = (await alice.signIn(`${origin}/auth/sign-in`, `${origin}/auth/signed-in`)).url;

  // Another browser, with a sign-in of its own under way: signing a victim in as somebody else.
  await victim.visit(`${origin}/auth/sign-in`, provider.issuer);
  expect((await victim.visit(back, `${origin}/#`)).url.hash).toBe("#refused=ERR_SIGN_IN_REFUSED");
  // None under way.
  expect((await new Person("mallory").visit(back, `${origin}/#`)).url.hash).toBe(
    "#refused=ERR_SIGN_IN_EXPIRED",
  );
  // The right browser; and then the same address once more.
  const [path, again] = [back.href, back.href];
  expect((await alice.visit(path, `${origin}/#`)).url.hash).toBe("");
  expect((await alice.visit(again, `${origin}/#`)).url.hash).toBe("#refused=ERR_SIGN_IN_EXPIRED");
});

test("an altered code or transaction is refused", async () => {
  const alice = new Person("alice");
  const back = (await alice.signIn(`${origin}/auth/sign-in`, `${origin}/auth/signed-in`)).url;
  const altered = new URL(back);
  altered.searchParams.set("code", "invented");
  expect((await alice.visit(altered, `${origin}/#`)).url.hash).toBe("#refused=ERR_SIGN_IN_REFUSED");

  const forged = await fetch(back, {
    redirect: "manual",
    headers: { cookie: "photinus-sign-in=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA" },
  });
  expect(forged.headers.get("location")).toBe(`${origin}/#refused=ERR_SIGN_IN_EXPIRED`);
});

test("a page of another origin changes nothing in the name of who is signed in", async () => {
  const alice = new Person("alice");
  await signIn(alice);

  for (const from of ["https://elsewhere.example", `http://127.0.0.1:${port + 1}`, "null", ""]) {
    for (const path of [
      "/auth/sign-out",
      "/auth/stay",
      `/api/jobs/${JOB}/abort`,
      "/api/sites/site-1/restart",
    ]) {
      const response = await post(alice, path, from);
      expect([response.status, await codeOf(response)]).toEqual([403, "ERR_ORIGIN_REFUSED"]);
    }
  }
  expect((await viewOf(alice)).user).not.toBeNull();
  // Nor does it read: the cookie counts in requests of our own pages only.
  const read = await alice.fetch(`${origin}/api/jobs`, { headers: { "sec-fetch-site": "same-site" } });
  expect(read.status).toBe(401);
  await post(alice, "/auth/sign-out");
});

test("a command for a site is refused: it needs a kit", async () => {
  const alice = new Person("alice");
  await signIn(alice);
  const response = await post(alice, "/api/sites/site-1/restart");

  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({
    code: "ERR_KIT_REQUIRED",
    remedy: expect.stringContaining("Sign with your kit"),
  });
  await post(alice, "/auth/sign-out");
});

test("what the server alone decides is for who is signed in, by role; everybody else is refused", async () => {
  const stranger = new Person("alice");
  const refused = await post(stranger, `/api/jobs/${JOB}/abort`);
  expect([refused.status, await codeOf(refused)]).toEqual([401, "ERR_SIGN_IN_EXPIRED"]);

  await signIn(stranger);
  expect(await codeOf(await post(stranger, `/api/jobs/${JOB}/abort`))).toBe("ERR_JOB_UNKNOWN");
  const other = await stranger.fetch(`${origin}/api/jobs`, { method: "POST", headers: { origin } });
  expect(other.status).toBe(405);
  await post(stranger, "/auth/sign-out");
});

/** Signs in at another server of the same client, which has an address of its own. */
async function signInAt(person: Person, other: RunningServer): Promise<{ status: number; hash: string }> {
  const back = (await person.signIn(`${other.origin}/auth/sign-in`, `${origin}/auth/signed-in`)).url;
  back.port = new URL(other.origin).port;
  const { status, url } = await person.visit(back, `${origin}/`);
  return { status, hash: url.hash };
}

test("a provider that refuses this server itself is logged once a minute, by its code", async () => {
  const lines: unknown[] = [];
  const error: Logger["error"] = (message, _error, fields) => void lines.push([message, fields?.["error"]]);
  const other = await aServer(
    { dashboard: dashboard() },
    { dashboardSecret: "another one" },
    { logger: { ...silentLogger, error } },
  );
  try {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { hash } = await signInAt(new Person("alice"), other);
      expect(hash).toBe("#refused=ERR_SIGN_IN_REFUSED");
    }
    expect(lines).toEqual([[expect.stringContaining("refuses this server"), "invalid_client"]]);
  } finally {
    await other.stop();
  }
});

test("a sign-in that cannot be recorded lets nobody in, and why is logged", async () => {
  const lines: string[] = [];
  const append: AuditStore["append"] = () =>
    Promise.reject(new StorageError("ERR_STORAGE_UNAVAILABLE", "the disk is full"));
  const other = await aServer(
    { dashboard: dashboard() },
    { dashboardSecret: DASHBOARD_SECRET },
    {
      logger: { ...silentLogger, error: (message, cause) => void lines.push(`${message}: ${cause}`) },
      auditOf: (audit) => ({ append, head: () => audit.head(), read: (from) => audit.read(from) }),
    },
  );
  try {
    expect(await signInAt(new Person("alice"), other)).toEqual({ status: 500, hash: "" });
    expect(lines).toContainEqual(expect.stringMatching(/^a request failed: .*the disk is full/));
  } finally {
    await other.stop();
  }
});

test("the policy of the server decides what of its jobs somebody who signed in sees", async () => {
  const onlyOwn = { lead: { view: "n:submitter" }, project_admin: "any" };
  const policy = parsePolicy({ format_version: "1.0", permissions: onlyOwn });
  const secret = { dashboardSecret: DASHBOARD_SECRET };
  const other = await aServer({ dashboard: dashboard() }, { ...secret, policy: () => policy });
  try {
    const jobId = await aJobAt(other);
    const [lee, alice] = [new Person("lee"), new Person("alice")];
    const asked = async (person: Person, path: string): Promise<Response> => {
      await signInAt(person, other);
      return await person.fetch(other.origin + path);
    };

    expect(await (await asked(lee, "/api/jobs")).json()).toEqual({ jobs: [] });
    const refused = await asked(lee, `/api/jobs/${jobId}/observations`);
    expect([refused.status, await codeOf(refused)]).toEqual([403, "ERR_FORBIDDEN"]);
    expect(await (await asked(alice, "/api/jobs")).json()).toMatchObject({ jobs: [{ jobId }] });
    expect((await asked(alice, `/api/jobs/${jobId}/observations`)).status).toBe(200);
    expect(await other.audited("job")).toContainEqual(
      expect.objectContaining({ actor: "sign-in lee@example.org", object: jobId, reason: "view" }),
    );
  } finally {
    await other.stop();
  }
});

/** A job of demo@example.org that waits for sites. @returns its id */
async function aJobAt({ kitOf, socketUrl }: RunningServer): Promise<string> {
  const kit = await kitOf("demo@example.org");
  const connector = webSocketConnector({ url: socketUrl });
  const user = await connect({ kit, transport: { connector, clock: systemClock(), crypto: nodeCrypto() } });
  const { jobId } = await user.submit(smallJob(1, 1));
  await user.close();
  return jobId;
}

test("one user has eight sessions at most: the oldest makes room", async () => {
  const first = new Person("lee");
  await signIn(first);
  for (let more = 0; more < 8; more += 1) await signIn(new Person("lee"));

  expect((await viewOf(first)).user).toBeNull();
});

test("without an identity provider nothing of it is there", async () => {
  const plain = await aServer(undefined);
  try {
    expect(await (await fetch(`${plain.origin}/api/session`)).json()).toEqual({ issuer: null, user: null });
    expect((await fetch(`${plain.origin}/auth/sign-in`)).status).toBe(404);
    expect((await fetch(`${plain.origin}/auth/sign-out`, { method: "POST" })).status).toBe(405);
  } finally {
    await plain.stop();
  }
});

test("while the provider is away, people are sent back with the remedy, and it is not asked again at once", async () => {
  const away = await aServer({ dashboard: dashboard({ issuer: "http://127.0.0.1:9" }) });
  try {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const response = await fetch(`${away.origin}/auth/sign-in`, { redirect: "manual" });
      expect(response.headers.get("location")).toBe(`${origin}/#refused=ERR_SIGN_IN_UNAVAILABLE`);
    }
  } finally {
    await away.stop();
  }
});
