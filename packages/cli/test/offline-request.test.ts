import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { contents, folder, run } from "./run-photinus.ts";

const DEFINITION = `name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443, key: requested }
sites:
  - { name: site-1, org: north }
users:
  - { name: alice@example.org, org: central, role: lead, key: requested }
  - { name: bob@example.org, org: central, role: member, key: requested }
`;

interface Parties {
  readonly definition: string;
  readonly project: string;
  readonly root: string;
  /** Folder of a participant. */
  readonly at: (name: string) => string;
}

async function parties(): Promise<Parties> {
  const base = await folder();
  const definition = join(base, "project.yml");
  await writeFile(definition, DEFINITION);
  const project = join(base, "fl");
  const { code, out, err } = await run("provision", definition, "-o", project, "--json");
  expect(code, err).toBe(0);
  const { rootFingerprint, waiting } = JSON.parse(out);
  expect(waiting).toEqual(["hub", "alice@example.org", "bob@example.org"]);
  return { definition, project, root: rootFingerprint, at: (name) => join(base, name) };
}

const ALICE = ["--name", "alice@example.org", "--org", "central", "--role", "lead"];
const HUB = ["--name", "hub", "--org", "central", "--role", "server"];

/** Makes a request. @returns its fingerprint */
async function request(out: string, ...wish: string[]): Promise<string> {
  const { code, out: text, err } = await run("cert", "request", "-o", out, ...wish, "--json");
  expect(code, err).toBe(0);
  return JSON.parse(text).fingerprint;
}

const sign = ({ definition, project }: Parties, requester: string, ...options: string[]) =>
  run(
    ...["cert", "sign", join(requester, "local", "request.pem"), "-p", project, "-d", definition, ...options],
  );

const install = (kit: string, out: string, root: string) =>
  run("cert", "install", kit, "-o", out, "--root-fingerprint", root);

/** A participant with its kit installed. */
async function installed(all: Parties, name: string, wish: string[]) {
  const own = all.at(`own-${name}`);
  const fingerprint = await request(own, ...wish);
  const signed = await sign(all, own, "--fingerprint", fingerprint);
  expect(signed.code, signed.err).toBe(0);
  const kit = join(all.project, "kits", name);
  const { code, err } = await install(kit, own, all.root);
  expect(code, err).toBe(0);
  return { own, kit, fingerprint };
}

describe("a participant that makes its keys itself", () => {
  test("asks, is signed by the root's key and puts the kit together; its key was nowhere else", async () => {
    const all = await parties();

    const { own } = await installed(all, "alice@example.org", ALICE);

    const { code, out } = await run("kit", "verify", own, "--root", all.root);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/alice@example.org[\s\S]*key.pem: the owner's own/),
    ]);
    const names = [...(await contents(all.project)).keys()].filter((path) => path.includes("alice"));
    expect(names.filter((path) => /key|secret/.test(path))).toEqual([]);
  });

  test("may be the server, whose kit and certificates are then as they have to be", async () => {
    const all = await parties();

    const { own } = await installed(all, "hub", HUB);

    const outcomes = async (...options: string[]): Promise<ReadonlyMap<string, string>> => {
      const place = ["--no-login", "--port", "0", "--state", all.at("state"), "--json"];
      const { out } = await run("check", "--kit", own, ...options, ...place);
      const { findings }: { findings: { probe: string; outcome: string }[] } = JSON.parse(out);
      return new Map(findings.map(({ probe, outcome }) => [probe, outcome]));
    };
    const checked = await outcomes("--passphrase-file", join(own, "local", "secret"));
    const good = [...checked].filter(([, outcome]) => outcome === "ok").map(([probe]) => probe);
    expect(good).toEqual(
      expect.arrayContaining(["kit", "certificate", "revocation list", "kit permissions"]),
    );
    // Without the secret nothing vouches for the keys that nobody signed.
    expect((await outcomes()).get("kit")).toBe("warning");
  });

  test("asks again with the same keys, and what the project issued before lies in superseded", async () => {
    const all = await parties();
    const { own, fingerprint } = await installed(all, "alice@example.org", ALICE);
    const before = await readFile(join(own, "certificate.pem"), "utf8");

    expect(await request(own, ...ALICE)).toBe(fingerprint);
    expect((await sign(all, own, "--fingerprint", fingerprint, "--zip")).code).toBe(0);
    const { code, err } = await install(join(all.project, "zips", "alice@example.org.zip"), own, all.root);

    expect(code, err).toBe(0);
    expect(await readFile(join(own, "certificate.pem"), "utf8")).not.toBe(before);
    expect([...(await contents(join(all.project, "superseded"))).keys()].length).toBeGreaterThan(0);
  });
});

describe("nothing is signed", () => {
  test("without the fingerprint that the owner read out, or for another", async () => {
    const all = await parties();
    const own = all.at("alice");
    await request(own, ...ALICE);
    const before = await contents(all.project);

    const silent = await sign(all, own);
    const other = await sign(all, own, "--fingerprint", "0".repeat(64));

    expect([silent.code, silent.err]).toEqual([4, expect.stringContaining("--fingerprint")]);
    expect([other.code, other.err]).toEqual([4, expect.stringContaining("ERR_REQUEST_DIFFERS")]);
    expect(await contents(all.project)).toEqual(before);
  });

  test("with a wrong passphrase of the root's key", async () => {
    const all = await parties();
    const own = all.at("alice");
    const fingerprint = await request(own, ...ALICE);
    const wrong = all.at("wrong");
    await writeFile(wrong, "not this\n");

    const { code, err } = await sign(all, own, "--fingerprint", fingerprint, "--passphrase-file", wrong);

    expect([code, err]).toEqual([4, expect.stringContaining("ERR_KEY_UNREADABLE")]);
  });

  test("for a role that the definition does not give", async () => {
    const all = await parties();
    const own = all.at("alice");
    const wish = ["--name", "alice@example.org", "--org", "central", "--role", "project_admin"];
    const fingerprint = await request(own, ...wish);

    const { code, err } = await sign(all, own, "--fingerprint", fingerprint);

    expect([code, err]).toEqual([4, expect.stringContaining("the definition says lead")]);
  });
});

describe("a key that somebody else put into a kit", () => {
  test("is named before the kit is put together, and after; without the secret no own key is vouched for", async () => {
    const all = await parties();
    const { own, kit } = await installed(all, "alice@example.org", ALICE);
    await request(all.at("eve"), ...HUB);
    const eve = (name: string) => readFile(join(all.at("eve"), name));
    const refusal = async (path: string, ...options: string[]) => {
      const { code, err } = await run("kit", "verify", path, ...options);
      return [code, /ERR_\w+/.exec(err)?.[0], /[a-z-]+\.(pem|json)/.exec(err)?.[0]];
    };

    await writeFile(join(kit, "key.pem"), await eve("key.pem"));
    expect(await refusal(kit)).toEqual([4, "ERR_KIT_UNEXPECTED_FILE", "key.pem"]);

    const secret = all.at("secret");
    await rename(join(own, "local", "secret"), secret);
    expect(await refusal(own)).toEqual([4, "ERR_KIT_UNEXPECTED_FILE", "key.pem"]);
    expect((await run("kit", "verify", own, "--passphrase-file", secret)).code).toBe(0);
    await writeFile(join(own, "storage-key.json"), await eve("storage-key.json"));
    expect(await refusal(own, "--passphrase-file", secret)).toEqual([
      ...[4, "ERR_KIT_UNEXPECTED_FILE", "storage-key.json"],
    ]);
    await rm(join(own, "storage-key.json"));
    await writeFile(join(own, "key.pem"), await eve("key.pem"));
    const { code, err } = await run("kit", "verify", own, "--passphrase-file", secret);
    expect([code, err]).toEqual([4, expect.stringContaining("ERR_KEY_UNREADABLE")]);
  });
});

describe("nothing is installed", () => {
  test("of another root, for another key, altered, or with a key in it", async () => {
    const all = await parties();
    const { own, kit } = await installed(all, "alice@example.org", ALICE);
    const other = all.at("other");
    await request(other, ...ALICE);
    const before = await contents(other);
    const codeOf = async (root: string) => /ERR_\w+/.exec((await install(kit, other, root)).err)?.[0];

    const codes = [await codeOf("0".repeat(64)), await codeOf(all.root)];
    await writeFile(join(kit, "key.pem"), await readFile(join(own, "key.pem")));
    codes.push(await codeOf(all.root));
    await rm(join(kit, "key.pem"));
    await rename(join(kit, "config.json"), join(dirname(kit), "config.json"));
    codes.push(await codeOf(all.root));

    expect(codes).toEqual([
      "ERR_KIT_FOREIGN",
      "ERR_KEY_UNREADABLE",
      "ERR_KIT_UNEXPECTED_FILE",
      "ERR_KIT_MISSING_FILE",
    ]);
    expect(await contents(other)).toEqual(before);
  });
});

test("a request for anything but a site goes to no running server, and a folder keeps its request", async () => {
  const out = join(await folder(), "own");
  const online = await run("cert", "request", "-o", out, ...HUB, "--server", "wss://127.0.0.1:1/ws");
  await request(out, ...ALICE);
  const again = await run("cert", "request", "-o", out, ...HUB);

  expect([online.code, online.err]).toEqual([4, expect.stringContaining("certificates of sites only")]);
  expect([again.code, again.err]).toEqual([4, expect.stringContaining("take another folder")]);
});
