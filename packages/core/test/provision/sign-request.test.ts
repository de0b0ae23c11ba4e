import { type Bytes, concatBytes } from "@photinus/core/bytes";
import { webCrypto } from "@photinus/core/platform";
import {
  type ExistingProject,
  KIT_FILE,
  type KitFiles,
  LOCAL_REQUEST,
  LOCAL_SECRET,
  openKit,
  openKitRequest,
  type ProvisionedProject,
  type RequestedParticipant,
  requestKit,
  signRequest,
  updateProject,
  verifyKit,
} from "@photinus/core/provision";
import { beforeAll, describe, expect, test } from "vitest";
import { anExistingProject } from "./an-existing-project.ts";

const crypto = webCrypto();
const NOW_MS = Date.UTC(2026, 6, 1);
const modules = { crypto, clock: { now: () => NOW_MS } };

const definition = {
  name: "mnist",
  server: { name: "hub", org: "example", hosts: ["fl.example.org"], port: 8443, key: "requested" },
  sites: [
    { name: "clinic-a", org: "north", key: "requested" },
    { name: "clinic-b", org: "south" },
  ],
  users: [{ name: "ada@example.org", org: "example", role: "lead", key: "requested" }],
};

let project: ProvisionedProject;
let existing: ExistingProject;

beforeAll(async () => {
  ({ project, existing } = await anExistingProject(definition, modules));
});

const file = (files: KitFiles, path: string): Bytes => files.get(path) ?? new Uint8Array(0);
const secretIn = (files: KitFiles): string => new TextDecoder().decode(file(files, LOCAL_SECRET)).trim();

/** Keys of a participant, and its request as who signs it reads it. */
async function requested(wish: Partial<RequestedParticipant> = {}) {
  const { files } = await requestKit(
    { name: "ada@example.org", org: "example", role: "lead", ...wish },
    modules,
  );
  return { files, request: await openKitRequest(file(files, LOCAL_REQUEST), modules) };
}

const ofSite = { name: "clinic-a", org: "north", role: "site" } as const;

/** What the requester then has: the kit, and the keys that it had. */
function joined(kit: KitFiles, own: KitFiles): KitFiles {
  return new Map([...kit, ...[...own].filter(([path]) => !path.startsWith("local/"))]);
}

const sign = (
  request: Awaited<ReturnType<typeof requested>>["request"],
  from = existing,
  changed: object = {},
) => signRequest({ ...definition, ...changed }, { existing: from, request }, modules);

test("whoever makes its key itself gets no kit from the project, which says who is waited for", () => {
  expect([...project.kits.keys()]).toEqual(["clinic-b"]);
  expect(project.waiting).toEqual(["hub", "clinic-a", "ada@example.org"]);
});

describe("a signed request", () => {
  test("gives a user a kit without keys, which opens with those that the user made", async () => {
    const { files, request } = await requested();

    const { kit, state } = await sign(request);

    expect([...kit.files.keys()].filter((path) => /key/.test(path))).toEqual([]);
    await verifyKit(kit.files, { nowMs: NOW_MS, root: project.root.certificate }, modules);
    const opened = await openKit(
      joined(kit.files, files),
      { nowMs: NOW_MS, secret: secretIn(files) },
      modules,
    );
    expect(opened.identity.participant).toMatchObject({
      name: "ada@example.org",
      org: "example",
      role: "lead",
    });
    expect(opened.identity.signingKey.publicKey).toEqual(request.publicKey.spki);
    const after = await updateProject(definition, { ...existing, state }, modules);
    expect(after.waiting).toEqual(["hub", "clinic-a"]);
    expect(after.kits.size).toBe(0);
  });

  test("gives a server its kit: enrolment CA and storage key are its own", async () => {
    const { files, request } = await requested({ name: "hub", role: "server" });

    const { kit } = await sign(request);

    const opened = await openKit(
      joined(kit.files, files),
      { nowMs: NOW_MS, secret: secretIn(files) },
      modules,
    );
    expect(opened.enrolment?.certificate.publicKey.spki).toEqual(request.enrolmentKey?.spki);
    expect(opened.storageKey).toHaveLength(32);
    expect([...opened.machines.keys()]).toEqual(["hub", "clinic-a", "clinic-b"]);
    expect(request.fingerprint).toEqual(
      await crypto.sha256(
        concatBytes(request.publicKey.spki, request.enrolmentKey?.spki ?? new Uint8Array(0)),
      ),
    );
  });

  test("gives a site of mtls a certificate that says so; after tls it revokes the one before", async () => {
    const { request } = await requested(ofSite);
    const [, second] = definition.sites;
    const loose = await sign(request, existing, {
      sites: [{ ...definition.sites[0], security: "tls" }, second],
    });

    const strict = await sign(request, { ...existing, state: loose.state });

    expect(loose.kit.certificate.extensions.mutualTls).toBe(false);
    expect(strict.kit.certificate.extensions.mutualTls).toBe(true);
    expect(strict.revocationList?.entries.size).toBe(1);
    expect(strict.replaced.get("clinic-a")).toBe(loose.kit.kitId);
  });

  test("opens with no other key", async () => {
    const { request } = await requested();
    const other = await requested();

    const { kit } = await sign(request);

    const opening = openKit(
      joined(kit.files, other.files),
      { nowMs: NOW_MS, secret: secretIn(other.files) },
      modules,
    );
    await expect(opening).rejects.toMatchObject({ code: "ERR_KEY_UNREADABLE" });
  });
});

describe("a key file that nobody signed", () => {
  test("is found and named, unless the kit is opened next", async () => {
    const { files, request } = await requested();
    const { kit } = await sign(request);
    const whole = joined(kit.files, files);

    await expect(verifyKit(whole, { nowMs: NOW_MS }, modules)).rejects.toMatchObject({
      code: "ERR_KIT_UNEXPECTED_FILE",
      message: expect.stringContaining(KIT_FILE.key),
    });
    const { ownKeys } = await verifyKit(whole, { nowMs: NOW_MS, admitsOwnKeys: true }, modules);
    expect(ownKeys).toEqual([KIT_FILE.key]);
  });

  test.each<readonly [string, string, "ada@example.org" | "hub" | "clinic-b"]>([
    ["a storage key beside a user's own key", KIT_FILE.storageKey, "ada@example.org"],
    ["an enrolment key beside a user's own key", KIT_FILE.enrolmentKey, "ada@example.org"],
    ["a storage key in a kit that came with its key", KIT_FILE.storageKey, "clinic-b"],
    ["an enrolment key in a kit that came with its key", KIT_FILE.enrolmentKey, "clinic-b"],
  ])("is not taken: %s", async (_reason, path, name) => {
    const server = await requested({ name: "hub", role: "server" });
    const { files, secret } = await kitAndSecret(name);
    const altered = new Map([...files, [path, file(server.files, path)]]);

    const refused = { code: "ERR_KIT_UNEXPECTED_FILE", message: expect.stringContaining(path) };
    await expect(openKit(altered, { nowMs: NOW_MS, secret }, modules)).rejects.toMatchObject(refused);
    const admitting = { nowMs: NOW_MS, admitsOwnKeys: true };
    await expect(verifyKit(altered, admitting, modules)).rejects.toMatchObject(refused);
  });

  test.each([
    [KIT_FILE.key, "ERR_KEY_UNREADABLE"],
    [KIT_FILE.enrolmentKey, "ERR_KEY_UNREADABLE"],
    [KIT_FILE.storageKey, "ERR_KIT_UNREADABLE"],
  ])("is not taken in place of a server's own %s", async (path, code) => {
    const other = await requested({ name: "hub", role: "server" });
    const { files, secret } = await kitAndSecret("hub");
    const altered = new Map([...files, [path, file(other.files, path)]]);

    await expect(openKit(altered, { nowMs: NOW_MS, secret }, modules)).rejects.toMatchObject({ code });
  });

  async function kitAndSecret(name: "ada@example.org" | "hub" | "clinic-b") {
    const made = project.kits.get(name);
    if (made !== undefined) return made;
    const own = await requested(name === "hub" ? { name, role: "server" } : {});
    const { kit } = await sign(own.request);
    return { files: joined(kit.files, own.files), secret: secretIn(own.files) };
  }
});

describe("a request is not signed", () => {
  test.each<readonly [string, Partial<RequestedParticipant>, string]>([
    ["for a name that the definition does not have", { name: "eve@example.org" }, "ERR_PARTICIPANT_UNKNOWN"],
    ["for another role", { role: "project_admin" }, "ERR_REQUEST_DIFFERS"],
    ["for another organization", { org: "north" }, "ERR_REQUEST_DIFFERS"],
    ["where the project makes the key", { ...ofSite, name: "clinic-b", org: "south" }, "ERR_REQUEST_DIFFERS"],
  ])("%s", async (_reason, wish, code) => {
    const { request } = await requested(wish);

    await expect(sign(request)).rejects.toMatchObject({ code });
  });

  test("when it is empty, too large, one of another kind, or asks for too many or too few keys", async () => {
    const { files } = await requestKit({ name: "hub", org: "example", role: "server" }, modules);
    const user = file((await requested()).files, LOCAL_REQUEST);
    const server = file(files, LOCAL_REQUEST);
    const half = server.slice(0, server.length / 2);

    for (const pem of [
      new Uint8Array(0),
      new Uint8Array(40_000),
      file(files, KIT_FILE.key),
      concatBytes(user, user),
      concatBytes(server, user),
      half,
    ]) {
      await expect(openKitRequest(pem, modules)).rejects.toMatchObject({ code: "ERR_REQUEST_MALFORMED" });
    }
  });
});
