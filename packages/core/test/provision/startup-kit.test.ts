import { type Bytes, fromUtf8, utf8 } from "@photinus/core/bytes";
import { verifyChain } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import {
  createProject,
  type KitFiles,
  openKit,
  type ProvisionedProject,
  type StartupKit,
  throwAwayProject,
  verifyKit,
} from "@photinus/core/provision";
import { TEST_EPOCH_MS } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";

const crypto = webCrypto();
const modules = { crypto, clock: { now: () => TEST_EPOCH_MS } };
const DAY_MS = 86_400_000;
const now = { nowMs: TEST_EPOCH_MS };

const definition = {
  name: "mnist",
  server: { name: "hub", org: "example", hosts: ["fl.example.org", "10.0.0.1"], port: 8443 },
  sites: [
    { name: "clinic-a", org: "north", security: "mtls" },
    { name: "clinic-b", org: "south" },
  ],
  users: [{ name: "ada@example.org", org: "example", role: "lead" }],
};

let project: ProvisionedProject;
let other: ProvisionedProject;

beforeAll(async () => {
  project = await createProject(definition, modules);
  other = await createProject(definition, modules, { rootAlgorithm: 1 });
});

function kitOf(name: string, from: ProvisionedProject = project): StartupKit {
  const kit = from.kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return kit;
}

function changed(name: string, changes: Readonly<Record<string, Bytes | undefined>>): KitFiles {
  const files = new Map(kitOf(name).files);
  for (const [path, content] of Object.entries(changes)) {
    if (content === undefined) files.delete(path);
    else files.set(path, content);
  }
  return files;
}

function fileOf(name: string, path: string, from: ProvisionedProject = project): Bytes {
  const content = kitOf(name, from).files.get(path);
  if (content === undefined) throw new Error(`no ${path}`);
  return content;
}

describe("a project", () => {
  test("gets one kit for the server, each site and each user", () => {
    expect([...project.kits.keys()]).toEqual(["hub", "clinic-a", "clinic-b", "ada@example.org"]);
  });

  test("keeps the root's key encrypted, under a secret of its own", () => {
    expect(fromUtf8(project.root.keyPem ?? utf8(""))).toContain("BEGIN ENCRYPTED PRIVATE KEY");
    expect(project.root.secret).toHaveLength(22);
  });

  test("takes the passphrase that a person chose for the root's key, and does not return it", async () => {
    const { root } = await createProject(definition, modules, { rootPassphrase: "correct horse battery" });

    expect(root.secret).toBeUndefined();
  });

  test("holds no secret in clear in any kit", () => {
    for (const { files, secret } of project.kits.values()) {
      for (const [path, content] of files) {
        const text = fromUtf8(content);
        expect(text.includes(secret), path).toBe(false);
        expect(text.includes("BEGIN PRIVATE KEY"), path).toBe(false);
      }
    }
  });
});

describe("a startup kit", () => {
  test("opens to an identity that a peer accepts", async () => {
    const kit = kitOf("clinic-a");

    const opened = await openKit(kit.files, { ...now, secret: kit.secret }, { crypto });

    expect(opened.identity.participant).toMatchObject({ role: "site", name: "clinic-a", org: "north" });
    expect(opened.configuration).toMatchObject({ security: "mtls", server: { name: "hub" } });
    expect(opened.configuration.server.addresses).toEqual([
      "wss://fl.example.org:8443/ws",
      "wss://10.0.0.1:8443/ws",
    ]);
    expect(opened.enrolment).toBeUndefined();
    expect(opened.storageKey).toBeUndefined();
    const verified = await verifyChain(
      opened.identity.participant.chain,
      { root: project.root.certificate, project: "mnist", usage: "client", ...now },
      { crypto },
    );
    const data = utf8("proof");
    const signature = await crypto.sign(opened.identity.signingKey, data);
    expect(await crypto.verify(verified.verifyingKey, signature, data)).toBe(true);
  });

  test("of the server brings the enrolment CA, the storage key and the names of all machines", async () => {
    const kit = kitOf("hub");

    const opened = await openKit(kit.files, { ...now, secret: kit.secret }, { crypto });

    expect(opened.identity.participant.role).toBe("server");
    expect(opened.storageKey).toHaveLength(32);
    expect([...opened.machines.values()]).toEqual([
      { name: "hub", role: "server" },
      { name: "clinic-a", role: "site" },
      { name: "clinic-b", role: "site" },
    ]);
    expect(opened.enrolment?.certificate.extensions.names.uris).toEqual(["urn:photinus:mnist:enrol"]);
  });

  test("of a user has the role of the user and nothing to start", async () => {
    const kit = kitOf("ada@example.org");

    const opened = await openKit(kit.files, { ...now, secret: kit.secret }, { crypto });

    expect(opened.identity.participant).toMatchObject({ role: "lead", name: "ada@example.org" });
    expect(kit.files.has("start.sh")).toBe(false);
  });

  test("is verified without its secret", async () => {
    const { manifest } = await verifyKit(kitOf("clinic-b").files, now, { crypto });

    expect(manifest).toMatchObject({ project: "mnist", participant: "clinic-b", role: "site" });
  });

  test("of a site holds a privacy policy to begin with, of a server a roster, which are not signed; of others nothing", () => {
    const names = (name: string): readonly string[] => [...kitOf(name).files.keys()];

    expect(names("clinic-a")).toContain("local/privacy.json");
    expect(fromUtf8(kitOf("clinic-a").files.get("manifest.json") ?? new Uint8Array(0))).not.toContain(
      "privacy",
    );
    const local = (name: string) => names(name).filter((file) => file.startsWith("local/"));
    expect(local("hub")).toEqual(["local/roster.json"]);
    expect(local("ada@example.org")).toEqual([]);
  });

  test("may hold anything in local/", async () => {
    const files = changed("clinic-a", { "local/privacy.json": utf8("{}"), "local/deep/note": utf8("mine") });

    expect((await verifyKit(files, now, { crypto })).manifest.participant).toBe("clinic-a");
  });

  test("does not open by another secret", async () => {
    const { files } = kitOf("clinic-a");

    await expect(
      openKit(files, { ...now, secret: kitOf("clinic-b").secret }, { crypto }),
    ).rejects.toMatchObject({ code: "ERR_KEY_UNREADABLE" });
  });
});

describe("a kit as its definition wants it", () => {
  const tlsCa = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  let made: ProvisionedProject;
  beforeAll(async () => {
    const [first] = definition.sites;
    const chosen = {
      ...definition,
      validity: { root: 100, site: 30, user: 400 },
      server: { ...definition.server, tlsCa, jurisdiction: "EU" },
      sites: [
        { ...first, key: "RSA-2048", addresses: ["wss://gate.example.org/ws"], jurisdiction: "DE" },
        { name: "clinic-b", org: "south", security: "tls" },
      ],
    };
    made = await createProject(chosen, modules, { rootAlgorithm: 1 });
  });
  const open = (name: string) => {
    const { files, secret } = kitOf(name, made);
    return openKit(files, { ...now, secret }, { crypto });
  };

  test("has a key of its kind, by which the participant signs", async () => {
    const { identity } = await open("clinic-a");

    expect(identity.signingKey.algorithm).toBe(2);
    expect((await open("clinic-b")).identity.signingKey.algorithm).toBe(1);
  });

  test("says where the participant reaches the server, and where its data lies", async () => {
    const { configuration } = await open("clinic-a");

    expect(configuration.server.addresses).toEqual(["wss://gate.example.org/ws"]);
    expect(configuration.jurisdiction).toBe("DE");
    expect((await open("hub")).machines.get("clinic-a")).toEqual({
      ...{ name: "clinic-a", role: "site", jurisdiction: "DE" },
    });
  });

  test("carries the CA of a proxy, signed like every file", async () => {
    expect((await open("clinic-b")).tlsAuthorities).toEqual([new Uint8Array(3)]);
    const files = new Map(kitOf("clinic-b", made).files).set(
      "tls-ca.pem",
      utf8(tlsCa.replace("AAAA", "AAAB")),
    );

    await expect(verifyKit(files, now, { crypto })).rejects.toMatchObject({ code: "ERR_KIT_FILE_CHANGED" });
  });

  test("is valid as long as its kind, and never longer than the root", async () => {
    const lasts = async (name: string) => (await open(name)).manifest.notAfterMs - TEST_EPOCH_MS;

    expect(await lasts("clinic-a")).toBe(30 * DAY_MS);
    expect(await lasts("ada@example.org")).toBe(100 * DAY_MS);
    expect(await lasts("hub")).toBe(100 * DAY_MS);
  });
});

describe("a kit is refused", () => {
  const refusal = (files: KitFiles, expectations = {}) =>
    expect(verifyKit(files, { ...now, ...expectations }, { crypto })).rejects;

  test("when any of its files is missing", async () => {
    for (const path of [...kitOf("hub").files.keys()].filter((file) => !file.startsWith("local/"))) {
      await refusal(changed("hub", { [path]: undefined })).toMatchObject({ code: "ERR_KIT_MISSING_FILE" });
    }
  });

  test("when a file was added outside local/", async () => {
    await refusal(changed("hub", { "extra.sh": utf8("rm") })).toMatchObject({
      code: "ERR_KIT_UNEXPECTED_FILE",
    });
  });

  test("when one byte of any listed file was changed", async () => {
    for (const path of [
      "certificate.pem",
      "key.pem",
      "config.json",
      "start.sh",
      "photinus.service",
      "storage-key.json",
      "machines.json",
    ]) {
      const content = fileOf("hub", path).slice();
      content[20] = (content[20] ?? 0) ^ 1;
      await refusal(changed("hub", { [path]: content })).toMatchObject({ code: "ERR_KIT_FILE_CHANGED" });
    }
  });

  test("when two files changed places", async () => {
    const swapped = {
      "key.pem": fileOf("hub", "enrolment-key.pem"),
      "enrolment-key.pem": fileOf("hub", "key.pem"),
    };

    await refusal(changed("hub", swapped)).toMatchObject({ code: "ERR_KIT_FILE_SWAPPED" });
  });

  test("when a file of another participant's kit lies in it", async () => {
    const foreign = { "config.json": fileOf("clinic-b", "config.json") };

    await refusal(changed("clinic-a", foreign)).toMatchObject({ code: "ERR_KIT_FILE_CHANGED" });
  });

  test("when manifest and signature are of another participant's kit", async () => {
    const foreign = {
      "manifest.json": fileOf("clinic-b", "manifest.json"),
      "manifest.p7s": fileOf("clinic-b", "manifest.p7s"),
    };

    await refusal(changed("clinic-a", foreign)).toMatchObject({ code: "ERR_KIT_FILE_CHANGED" });
  });

  test("when the manifest was edited", async () => {
    const text = fromUtf8(fileOf("clinic-a", "manifest.json")).replace('"site"', '"server"');

    await refusal(changed("clinic-a", { "manifest.json": utf8(text) })).toMatchObject({
      code: "ERR_KIT_MANIFEST_INVALID",
    });
  });

  test("when the signature is altered, empty, or another project's", async () => {
    const signature = fileOf("clinic-a", "manifest.p7s");
    const altered = signature.slice();
    altered[200] = altered[200] === 65 ? 66 : 65;
    const bad = [
      altered,
      utf8(""),
      utf8("-----BEGIN CMS-----\nAAAA\n-----END CMS-----\n"),
      fileOf("clinic-a", "manifest.p7s", other),
    ];

    for (const content of bad) {
      await refusal(changed("clinic-a", { "manifest.p7s": content })).toMatchObject({
        code: "ERR_KIT_MANIFEST_INVALID",
      });
    }
  });

  test("when the root was exchanged for another project's", async () => {
    await refusal(changed("clinic-a", { "root.pem": fileOf("clinic-a", "root.pem", other) })).toMatchObject({
      code: "ERR_KIT_MANIFEST_INVALID",
    });
  });

  test("when it is whole but not of the root that is pinned", async () => {
    await refusal(kitOf("clinic-a", other).files, { root: project.root.certificate }).toMatchObject({
      code: "ERR_KIT_FOREIGN",
    });
  });

  test("before and after its validity", async () => {
    const { files } = kitOf("clinic-a");

    await refusal(files, { nowMs: TEST_EPOCH_MS - DAY_MS }).toMatchObject({ code: "ERR_KIT_NOT_YET_VALID" });
    await refusal(files, { nowMs: TEST_EPOCH_MS + 361 * DAY_MS }).toMatchObject({ code: "ERR_KIT_EXPIRED" });
  });

  test("when a file is larger than a kit's may be, or there are too many", async () => {
    const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`file-${index}`, utf8("x")]));

    await refusal(changed("clinic-a", { "key.pem": new Uint8Array(1_048_577) })).toMatchObject({
      code: "ERR_KIT_UNREADABLE",
    });
    await refusal(changed("clinic-a", many)).toMatchObject({ code: "ERR_KIT_UNREADABLE" });
  });
});

describe("a throw-away project", () => {
  test("has as many sites as asked for, on loopback, for a week", async () => {
    const demo = await throwAwayProject({ sites: 3, port: 8080 }, modules);

    expect([...demo.kits.keys()]).toEqual(["hub", "site-1", "site-2", "site-3", "demo@example.org"]);
    const { manifest, configuration } = await verifyKit(kitOf("site-3", demo).files, now, { crypto });
    expect(manifest.notAfterMs).toBe(TEST_EPOCH_MS + 7 * DAY_MS);
    expect(configuration.server.addresses[0]).toBe("ws://127.0.0.1:8080/ws");
  });
});

test("a kit for mtls has a certificate that says so; those of a server, of tls and of clear have none", async () => {
  const definition = {
    name: "trial",
    server: { name: "hub", org: "o", hosts: ["fl.example.org"], port: 8443 },
    sites: (["mtls", "tls", "clear"] as const).map((security) => ({ name: security, org: "o", security })),
    users: [],
  };
  const { kits } = await createProject(definition, modules);

  const stated = await Promise.all(
    [...kits].map(async ([name, { files, secret }]) => {
      const { identity } = await openKit(files, { ...now, secret }, { crypto });
      return [name, identity.participant.mutualTls];
    }),
  );

  expect(stated).toEqual([
    ["hub", false],
    ["mtls", true],
    ["tls", false],
    ["clear", false],
  ]);
});
