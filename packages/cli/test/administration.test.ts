import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@photinus/core/bytes";
import { connect, type Federation } from "@photinus/core/console";
import { createProject, openKit } from "@photinus/core/provision";
import {
  nodeCrypto,
  pinoLogger,
  systemClock,
  webSocketConnector,
  writeKitFolder,
} from "@photinus/node-platform";
import { openStorage, PhotinusServer, type ServerStorage } from "@photinus/node-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSiteFolder } from "../src/commands/open-kit-folder.ts";
import { main } from "../src/main.ts";
import { capturedStreams } from "./captured-streams.ts";

// A real server on loopback, and the commands as people type them.

const crypto = nodeCrypto();
const clock = systemClock();
let folder = "";
let socket = "";
let fingerprint = "";
let audit: ServerStorage["audit"];
let stop: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  const user = (name: string, role: "project_admin" | "org_admin") =>
    ({ name, role, org: "clinic" }) as const;
  const project = await createProject(
    {
      name: "trial",
      server: { name: "hub", org: "clinic", hosts: ["127.0.0.1"], port: 8443 },
      sites: [{ name: "site-1", org: "clinic", security: "clear" }],
      users: [user("admin@example.org", "project_admin"), user("org@example.org", "org_admin")],
    },
    { crypto, clock },
  );
  for (const [name, kit] of project.kits) {
    await writeKitFolder(join(folder, name), kit.files);
    await writeFile(join(folder, `${name}.secret`), kit.secret);
  }
  const hub = project.kits.get("hub");
  if (hub === undefined) throw new Error("the project has a server");
  const kit = await openKit(hub.files, { nowMs: Date.now(), secret: hub.secret }, { crypto });
  const storage = await openStorage({ folder: join(folder, "state") }, { crypto });
  audit = storage.audit;
  const logger = pinoLogger({ name: "server", level: "silent" });
  const server = new PhotinusServer({ kit, host: "127.0.0.1", port: 0 }, { storage, clock, crypto, logger });
  const address = await server.start();
  socket = address.socketUrl;
  fingerprint = toHex(project.root.fingerprint);
  stop = async () => {
    await server.stop();
    await storage.close();
  };
});

afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: readonly string[]) {
  const { streams, texts } = capturedStreams();
  const code = await main(["--json", ...args], { streams });
  const [last = "{}"] = texts.out.trim().split("\n").slice(-1);
  return { code, result: JSON.parse(last) };
}

const as = (user: string, ...args: readonly string[]) =>
  run(
    ...args,
    "--kit",
    join(folder, user),
    "--passphrase-file",
    join(folder, `${user}.secret`),
    "--server",
    socket,
  );

const request = (out: string, ...args: readonly string[]) =>
  run(
    ...[
      "cert",
      "request",
      "--out",
      join(folder, out),
      "--name",
      "lab-7",
      "--org",
      "clinic",
      "--server",
      socket,
    ],
    ...["--project", "trial", "--server-name", "hub", ...args],
  );

test("a request waits, is approved by its fingerprint, is fetched by the same key, and is renewed", async () => {
  const waiting = await request("lab", "--root-fingerprint", fingerprint);
  expect(waiting).toMatchObject({ code: 2, result: { error: { code: "ERR_REQUEST_PENDING" } } });
  const listed = await as("admin@example.org", "cert", "list");
  const [{ keyDigest }] = listed.result.requests;

  const as7 = ["--name", "lab-7", "--org", "clinic"];

  const denied = await as("org@example.org", "cert", "approve", keyDigest, ...as7, "--reason", "mine");
  expect(denied.code).toBe(6);
  const approved = await as(
    "admin@example.org",
    "cert",
    "approve",
    keyDigest,
    "--reason",
    "compared by phone",
  );
  expect(approved).toMatchObject({ code: 0, result: { detail: "approved" } });
  const issued = await request("lab", "--root-fingerprint", fingerprint);

  expect(issued).toMatchObject({ code: 0, result: { name: "lab-7", state: "issued" } });
  const secret = join(folder, "lab", "local", "secret");
  const renewed = await run("cert", "renew", "--kit", join(folder, "lab"), "--passphrase-file", secret);
  expect(renewed).toMatchObject({ code: 0, result: { name: "lab-7" } });
});

test("a request goes to no server of another root", async () => {
  const refused = await request("foreign", "--root-fingerprint", "00".repeat(32));

  expect(refused).toMatchObject({ code: 2, result: { error: { code: "ERR_CERTIFICATE_UNTRUSTED" } } });
});

test("an invite is made, listed, used by a file that holds its link, and withdrawn", async () => {
  const made = await as(
    "org@example.org",
    "invite",
    "--org",
    "clinic",
    "--prefix",
    "ward",
    "--uses",
    "2",
    "--expires",
    "2h",
  );
  expect(made.result.link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/join#/);
  await writeFile(join(folder, "link"), made.result.link);

  const joined = await run(
    ...["cert", "request", "--out", join(folder, "ward"), "--name", "ward-9", "--org", "clinic"],
    ...["--server", socket, "--link-file", join(folder, "link")],
  );
  expect(joined).toMatchObject({ code: 0, result: { name: "ward-9" } });
  const [{ codeDigest, used }] = (await as("org@example.org", "invites", "list")).result.invites;
  expect(used).toBe(1);
  expect((await as("org@example.org", "invites", "withdraw", codeDigest, "--reason", "over")).code).toBe(0);
  const late = await run(
    ...["cert", "request", "--out", join(folder, "late"), "--name", "ward-10", "--org", "clinic"],
    ...["--server", socket, "--link-file", join(folder, "link")],
  );
  expect(late).toMatchObject({ code: 2, result: { error: { code: "ERR_INVITE_REFUSED" } } });
});

test("an administrator of an organization invites nobody into another one", async () => {
  const refused = await as("org@example.org", "invite", "--org", "elsewhere");

  expect(refused).toMatchObject({ code: 6, result: { error: { code: "ERR_FORBIDDEN" } } });
});

/** A live session of the site whose folder that is. */
async function live(site: string): Promise<Federation> {
  const passphraseFile = join(folder, site, "local", "secret");
  const { kit } = await openSiteFolder({ kit: join(folder, site), passphraseFile });
  return await connect({
    kit,
    transport: { connector: webSocketConnector({ url: socket }), clock, crypto },
  });
}

/** What the audit chain says of these actions, in order. */
async function recordsOf(...actions: readonly string[]) {
  const events = [];
  for await (const { event } of audit.read()) if (actions.includes(event.action)) events.push(event);
  return events;
}

test("a suspension and a revocation end the live sessions within a second, admit no new one, and are on record", async () => {
  const order = (...args: readonly string[]) => as("admin@example.org", ...args);
  const first = await live("lab");

  await order("site", "suspend", "lab-7", "--reason", "lost", "--for", "1h");
  expect(await first.ended).toMatchObject({ code: "ERR_SUSPENDED", local: false });
  await expect(live("lab")).rejects.toMatchObject({ code: "ERR_SUSPENDED" });
  const secret = join(folder, "lab", "local", "secret");
  const renewing = await run("cert", "renew", "--kit", join(folder, "lab"), "--passphrase-file", secret);
  expect(renewing.result).toMatchObject({ error: { code: "ERR_SUSPENDED" } });
  await order("site", "resume", "lab-7", "--reason", "found");

  await request("lab-8", "--root-fingerprint", fingerprint, "--name", "lab-8");
  const [waiting] = (await order("cert", "list")).result.requests;
  await order("cert", "approve", waiting.keyDigest, "--reason", "compared");
  await request("lab-8", "--root-fingerprint", fingerprint, "--name", "lab-8");
  const second = await live("lab-8");
  await order("cert", "revoke", "lab-8", "--reason", "sold");
  expect(await second.ended).toMatchObject({ code: "ERR_REVOKED", local: false });
  await expect(live("lab-8")).rejects.toMatchObject({ code: "ERR_REVOKED" });

  const ofSuspension = await recordsOf("suspend", "suspended", "resume");
  const ofRevocation = await recordsOf("revoke", "revoked");
  expect(ofSuspension.map(({ action, reason }) => `${action} ${reason}`)).toEqual([
    ...["suspend lost", "suspended ", "resume found"],
  ]);
  expect(ofRevocation.map(({ action, reason }) => `${action} ${reason}`)).toEqual([
    "revoke sold",
    "revoked ",
  ]);
  for (const [ordered, ended] of [ofSuspension, ofRevocation]) {
    expect(ordered?.actor).toMatch(/^[0-9a-f]{64} admin@example\.org$/);
    expect((ended?.atMs ?? Number.NaN) - (ordered?.atMs ?? 0)).toBeLessThan(1000);
  }
});

test("a site that joined is suspended, resumed and revoked by name; one with a kit is suspended by its certificate", async () => {
  const listed = await as("admin@example.org", "site", "list");
  expect(listed.result.sites.map(({ name }: { name: string }) => name)).toContain("lab-7");

  expect(
    (await as("admin@example.org", "site", "suspend", "lab-7", "--reason", "lost", "--for", "1h")).code,
  ).toBe(0);
  expect((await as("admin@example.org", "site", "list")).result.sites).toContainEqual(
    expect.objectContaining({ name: "lab-7", state: "suspended", reason: "lost" }),
  );
  expect((await as("admin@example.org", "site", "resume", "lab-7", "--reason", "found")).code).toBe(0);
  expect((await as("admin@example.org", "cert", "revoke", "lab-7", "--reason", "sold")).code).toBe(0);
  const secret = join(folder, "lab", "local", "secret");
  expect(
    (await run("cert", "renew", "--kit", join(folder, "lab"), "--passphrase-file", secret)).result,
  ).toMatchObject({
    error: { code: "ERR_REVOKED" },
  });
  const certificate = join(folder, "site-1", "certificate.pem");
  const suspended = await as(
    "admin@example.org",
    "site",
    "suspend",
    "site-1",
    "--reason",
    "lost",
    "--certificate",
    certificate,
  );
  expect(suspended.code).toBe(0);
});

test("the code of an invite and the secret of a key are in no output but the link, and in no record", async () => {
  const secret = (await readFile(join(folder, "lab", "local", "secret"), "utf8")).trim();
  const link = (await readFile(join(folder, "link"), "utf8")).trim();

  const { result } = await as("admin@example.org", "cert", "list");
  const invites = (await as("admin@example.org", "invites", "list")).result;

  expect(JSON.stringify([result, invites])).not.toContain(secret);
  expect(JSON.stringify([result, invites])).not.toContain(link.split("#")[1]);
});
