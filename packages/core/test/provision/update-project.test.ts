import { toHex } from "@photinus/core/bytes";
import { decodePem, parseCertificate } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import {
  type ExistingProject,
  encodeProjectState,
  openKit,
  type ProjectState,
  type ProvisionedProject,
  parseProjectState,
  type UpdateProjectOptions,
  updateProject,
  verifyKit,
} from "@photinus/core/provision";
import { beforeAll, describe, expect, test } from "vitest";
import { anExistingProject } from "./an-existing-project.ts";

const crypto = webCrypto();
const NOW_MS = Date.UTC(2026, 6, 1);
const DAY_MS = 86_400_000;
const modules = { crypto, clock: { now: () => NOW_MS } };
const later = { crypto, clock: { now: () => NOW_MS + DAY_MS } };

const definition = {
  name: "mnist",
  server: { name: "hub", org: "example", hosts: ["fl.example.org"], port: 8443 },
  sites: [
    { name: "clinic-a", org: "north" },
    { name: "clinic-b", org: "south" },
  ],
  users: [{ name: "ada@example.org", org: "example", role: "lead" }],
};

let project: ProvisionedProject;
let existing: ExistingProject;

beforeAll(async () => {
  ({ project, existing } = await anExistingProject(definition, modules));
});

const update = (changed: object, options: UpdateProjectOptions = {}, from = existing) =>
  updateProject({ ...definition, ...changed }, from, later, options);

const serialOf = (name: string): string => {
  const certificate = project.kits.get(name)?.certificate;
  if (certificate === undefined) throw new Error(`no certificate of ${name}`);
  return toHex(certificate.serialNumber);
};

describe("a project whose definition", () => {
  test("is as it was gets no kit and no list", async () => {
    const { kits, revocationList, state } = await update({});

    expect(kits.size).toBe(0);
    expect(revocationList).toBeUndefined();
    expect(state).toEqual(project.state);
  });

  test("has a new site gets one kit, which is of the same root, and tells the machines", async () => {
    const sites = [...definition.sites, { name: "clinic-c", org: "west", security: "tls" }];

    const { kits, machines, state, revocationList } = await update({ sites });

    expect([...kits.keys()]).toEqual(["clinic-c"]);
    const { manifest } = await verifyKit(
      kits.get("clinic-c")?.files ?? new Map(),
      { nowMs: NOW_MS + DAY_MS, root: project.root.certificate },
      { crypto },
    );
    expect(manifest).toMatchObject({ participant: "clinic-c", role: "site" });
    expect(revocationList).toBeUndefined();
    expect(machines.at(-1)).toEqual({ name: "clinic-c", role: "site" });
    expect(state.participants.map(({ name }) => name)).toContain("clinic-c");
  });

  test("no longer has a site revokes its certificate by the list with the next number", async () => {
    const { kits, removed, revocationList, state } = await update({ sites: [definition.sites[0]] });

    expect(kits.size).toBe(0);
    expect([...removed.keys()]).toEqual(["clinic-b"]);
    expect(revocationList?.number).toBe(2);
    expect([...(revocationList?.entries.keys() ?? [])]).toEqual([serialOf("clinic-b")]);
    expect(state.listNumber).toBe(2);
    expect(state.participants.find(({ name }) => name === "clinic-b")).toMatchObject({
      removed: true,
      certificates: [{ revoked: "cessationOfOperation" }],
    });
  });

  test("has a site again that was removed gets a kit for it, and the old certificate stays revoked", async () => {
    const gone = await update({ sites: [definition.sites[0]] });
    const latest = gone.revocationList?.der ?? existing.latest;

    const back = await update({}, {}, { ...existing, latest, state: gone.state });

    expect([...back.kits.keys()]).toEqual(["clinic-b"]);
    expect(back.replaced.size).toBe(0);
    expect(back.revocationList).toBeUndefined();
    const certificates = back.state.participants.find(({ name }) => name === "clinic-b")?.certificates ?? [];
    expect(certificates.map(({ revoked }) => revoked)).toEqual(["cessationOfOperation", undefined]);
  });

  test("says another organization or role gives a new kit and revokes the old certificate, which says the old", async () => {
    const { kits, revocationList } = await update({
      sites: [{ name: "clinic-a", org: "east" }, definition.sites[1]],
      users: [{ ...definition.users[0], role: "member" }],
    });

    expect([...kits.keys()]).toEqual(["clinic-a", "ada@example.org"]);
    expect([...(revocationList?.entries.values() ?? [])].map(({ reason }) => reason)).toEqual([
      "affiliationChanged",
      "affiliationChanged",
    ]);
  });

  test("says another way to connect gives a new kit, and the old one stays valid until it expires", async () => {
    const [, second] = definition.sites;
    const { kits, replaced, revocationList } = await update({
      sites: [{ name: "clinic-a", org: "north", security: "tls" }, second],
    });

    expect([...kits.keys()]).toEqual(["clinic-a"]);
    expect(replaced.get("clinic-a")).toBe(project.kits.get("clinic-a")?.kitId);
    expect(revocationList).toBeUndefined();
  });

  test("says mtls where it said tls revokes the old certificate, by which the site would go on without", async () => {
    const [, second] = definition.sites;
    const loose = await update({ sites: [{ name: "clinic-a", org: "north", security: "tls" }, second] });

    const strict = await update({}, {}, { ...existing, state: loose.state });

    expect([...strict.kits.keys()]).toEqual(["clinic-a"]);
    const old = toHex(loose.kits.get("clinic-a")?.certificate.serialNumber ?? new Uint8Array());
    expect(strict.revocationList?.entries.get(old)?.reason).toBe("superseded");
    const now = toHex(strict.kits.get("clinic-a")?.certificate.serialNumber ?? new Uint8Array());
    expect(strict.revocationList?.entries.has(now)).toBe(false);
  });

  test("says another address for a site of mtls leaves the old certificate valid", async () => {
    const [, second] = definition.sites;
    const { kits, revocationList } = await update({
      sites: [{ name: "clinic-a", org: "north", addresses: ["wss://gate.example.org/ws"] }, second],
    });

    expect([...kits.keys()]).toEqual(["clinic-a"]);
    expect(revocationList).toBeUndefined();
  });

  test("wants two administrators gives the server alone a kit, which says so", async () => {
    const server = { ...definition.server, approvals: 2 };

    const { kits } = await update({ server }, { newServerKeys: true });

    expect([...kits.keys()]).toEqual(["hub"]);
    const files = kits.get("hub")?.files ?? new Map();
    const { configuration } = await verifyKit(files, { nowMs: NOW_MS + DAY_MS }, { crypto });
    expect(configuration.approvals).toBe(2);
  });

  test("has another name is of another project", async () => {
    await expect(update({ name: "other" })).rejects.toMatchObject({ code: "ERR_PROJECT_INVALID" });
  });
});

describe("who was revoked by hand", () => {
  const revoked = (): ExistingProject => ({
    ...existing,
    state: {
      ...project.state,
      participants: project.state.participants.map((participant) =>
        participant.name === "clinic-a"
          ? {
              ...participant,
              certificates: participant.certificates.map((each) => ({ ...each, revoked: "keyCompromise" })),
            }
          : participant,
      ),
    },
  });

  test("gets no kit because the definition still names it", async () => {
    const { kits, blocked } = await update({}, {}, revoked());

    expect([kits.size, blocked]).toEqual([0, ["clinic-a"]]);
  });

  test("gets one when it is renewed by name", async () => {
    const { kits, blocked } = await update({}, { renew: ["clinic-a"] }, revoked());

    expect([[...kits.keys()], blocked]).toEqual([["clinic-a"], []]);
    // It may be put over the folder that the site has: what its organization wrote there stays.
    expect(kits.get("clinic-a")?.files.has("local/privacy.json")).toBe(false);
  });
});

test("a name that nobody has is not renewed", async () => {
  await expect(update({}, { renew: ["clinic-z"] })).rejects.toMatchObject({
    code: "ERR_PARTICIPANT_UNKNOWN",
  });
});

describe("a server whose kit is made again", () => {
  const server = { ...definition.server, hosts: ["fl.example.net"] };

  test("is refused while its keys are not at hand", async () => {
    await expect(update({ server })).rejects.toMatchObject({ code: "ERR_SERVER_KEYS_MISSING" });
  });

  test("goes on with its storage key and its enrolment CA", async () => {
    const before = project.kits.get("hub");
    if (before === undefined) throw new Error("the project has a server");
    const opened = await openKit(before.files, { nowMs: NOW_MS, secret: before.secret }, { crypto });
    if (opened.storageKey === undefined || opened.enrolment === undefined) throw new Error("a server's kit");
    const key = await crypto.generateSigningKey(1, { extractable: true });
    const enrolment = {
      certificate: opened.enrolment.certificate,
      pkcs8: await crypto.exportSigningKey(key),
    };
    const keys = { storageKey: opened.storageKey, enrolment };
    const from = { ...existing, server: async () => keys };

    const { kits } = await update({ server }, {}, from);

    const after = kits.get("hub");
    if (after === undefined) throw new Error("the server has a kit");
    const files = new Map(after.files);
    const unreadable = openKit(files, { nowMs: NOW_MS + DAY_MS, secret: after.secret }, { crypto });
    // The key that was handed on here is not that of the CA: it is what the new kit holds.
    await expect(unreadable).rejects.toMatchObject({ code: "ERR_KEY_UNREADABLE" });
    expect([...kits.keys()]).toEqual(["hub", "clinic-a", "clinic-b", "ada@example.org"]);
  });

  test("gets another certificate for the key of its enrolment CA when half of its 90 days are over, not before", async () => {
    const kit = project.kits.get("hub");
    if (kit === undefined) throw new Error("the project has a server");
    const [before] = decodePem("CERTIFICATE", kit.files.get("enrolment.pem") ?? new Uint8Array(0));
    const certificate = await parseCertificate(before ?? new Uint8Array(0), { crypto });
    const enrolment = {
      certificate,
      pkcs8: await crypto.exportSigningKey(await crypto.generateSigningKey(1, { extractable: true })),
    };
    const from = { ...existing, server: async () => ({ storageKey: new Uint8Array(32), enrolment }) };
    const enrolmentAfter = async (days: number) => {
      const clock = { now: () => NOW_MS + days * DAY_MS };
      const { kits } = await updateProject({ ...definition, server }, from, { crypto, clock });
      const [after] = decodePem(
        "CERTIFICATE",
        kits.get("hub")?.files.get("enrolment.pem") ?? new Uint8Array(0),
      );
      return await parseCertificate(after ?? new Uint8Array(0), { crypto });
    };

    const [kept, renewed] = [await enrolmentAfter(44), await enrolmentAfter(46)];

    expect(kept.der).toEqual(certificate.der);
    expect(renewed.publicKey.spki).toEqual(certificate.publicKey.spki);
    expect(renewed.notAfterMs).toBeGreaterThan(NOW_MS + (46 + 89) * DAY_MS);
  });

  test("begins anew when it is told to", async () => {
    const { kits } = await update({ server }, { newServerKeys: true });
    const kit = kits.get("hub");
    if (kit === undefined) throw new Error("the server has a kit");

    const opened = await openKit(kit.files, { nowMs: NOW_MS + DAY_MS, secret: kit.secret }, { crypto });

    expect(opened.storageKey).toHaveLength(32);
  });
});

describe("the state of a project", () => {
  test("comes back as it was written, and holds neither keys nor secrets", () => {
    const file = encodeProjectState(project.state);

    expect(parseProjectState(file)).toEqual(project.state);
    const text = new TextDecoder().decode(file);
    for (const { secret } of project.kits.values()) expect(text).not.toContain(secret);
    expect(text).not.toContain("PRIVATE");
  });

  test.each([64, 65, 1024])("can be read again after %i kits of one participant", (kits) => {
    expect(parseProjectState(encodeProjectState(issuedOften(kits))).participants).toHaveLength(1);
  });

  test("is not made when it could not be read again: nothing is issued then", () => {
    expect(() => encodeProjectState(issuedOften(1025))).toThrow(
      expect.objectContaining({ code: "ERR_PROJECT_STATE_FULL" }),
    );
  });

  function issuedOften(kits: number): ProjectState {
    const participant = project.state.participants[0];
    const certificate = participant?.certificates[0];
    if (participant === undefined || certificate === undefined) throw new Error("a server has a kit");
    const certificates = Array.from({ length: kits }, () => certificate);
    return { ...project.state, participants: [{ ...participant, certificates }] };
  }

  test.each(["", "{}", '{"version":2}', "[".repeat(100_000)])("is refused when it is %.20s", (text) => {
    expect(() => parseProjectState(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: "ERR_PROJECT_STATE_INVALID" }),
    );
  });
});
