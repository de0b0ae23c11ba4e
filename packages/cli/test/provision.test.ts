import { execFile } from "node:child_process";
import { chmod, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { decodePem, parseRevocationList } from "@photinus/core/pki";
import { nodeCrypto } from "@photinus/node-platform";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { withLaterMachines } from "../src/commands/later-machines.ts";
import { contents, folder, run } from "./run-photinus.ts";

const DEFINITION = `name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443 }
sites:
  - { name: site-1, org: north }
  - { name: site-2, org: south }
users:
  - { name: alice@example.org, org: central, role: lead }
`;

interface Provisioned {
  readonly file: string;
  readonly out: string;
}

async function aDefinition(text = DEFINITION): Promise<string> {
  const file = join(await folder(), "project.yml");
  await writeFile(file, text);
  return file;
}

async function aProject(...options: string[]): Promise<Provisioned> {
  const file = await aDefinition();
  const out = join(dirname(file), "fl");
  const { code, err } = await run("provision", file, "-o", out, ...options);
  expect(code, err).toBe(0);
  return { file, out };
}

/** Runs it again with the text of the definition changed. */
async function again({ file, out }: Provisioned, from: string, to: string, ...options: string[]) {
  await writeFile(file, DEFINITION.replace(from, to));
  const { code, out: text, err } = await run("provision", file, "-o", out, "--json", ...options);
  return { code, err, result: JSON.parse(text) };
}

async function listOf({ out }: Provisioned) {
  const [der] = decodePem("X509 CRL", new Uint8Array(await readFile(join(out, "root", "root.crl"))));
  if (der === undefined) throw new Error("a project has a list");
  return await parseRevocationList(der, { crypto: nodeCrypto() });
}

describe("photinus provision, run again,", () => {
  test("leaves every file as it is when nothing changed", async () => {
    const project = await aProject();
    const before = await contents(join(project.out, "kits"));

    const { code, result } = await again(project, "", "");

    expect([code, result.kits]).toEqual([0, []]);
    expect(await contents(join(project.out, "kits"))).toEqual(before);
  });

  test("makes the kit of a new site only, and the others stay as they are", async () => {
    const project = await aProject();
    const before = await contents(join(project.out, "kits"));

    const { result } = await again(project, "users:", "  - { name: site-3, org: west }\nusers:");

    expect(result).toMatchObject({ kits: ["site-3"], removed: [] });
    expect((await run("kit", "verify", join(project.out, "kits", "site-3"))).code).toBe(0);
    const after = await contents(join(project.out, "kits"));
    for (const [path, content] of before) expect(after.get(path), path).toBe(content);
    const machines = JSON.parse(await readFile(join(project.out, "root", "machines.json"), "utf8"));
    expect(machines.machines).toContainEqual({ name: "site-3", role: "site" });
  });

  test("revokes who is gone, by the next number, and puts list and machines into the server's kit", async () => {
    const project = await aProject();
    const hub = join(project.out, "kits", "hub");

    const { result } = await again(project, "  - { name: site-2, org: south }\n", "", "--kit", hub);

    expect(result).toMatchObject({ kits: [], removed: ["site-2"], revocationList: 2 });
    expect((await listOf(project)).entries.size).toBe(1);
    expect(await readFile(join(hub, "local", "root.crl"))).toEqual(
      await readFile(join(project.out, "root", "root.crl")),
    );
    expect(await readFile(join(hub, "local", "machines.json"), "utf8")).not.toContain("site-2");
    expect(await readdir(join(project.out, "kits"))).not.toContain("site-2");
    expect((await run("kit", "verify", hub)).code).toBe(0);
  });

  test("keeps a kit that another replaces, with its secret, out of the way", async () => {
    const project = await aProject();

    await again(project, "site-1, org: north", "site-1, org: north, security: tls");

    const kept = await readdir(join(project.out, "superseded"));
    expect(kept).toEqual([
      expect.stringMatching(/^site-1-[0-9a-f]{32}$/),
      expect.stringMatching(/^site-1-[0-9a-f]{32}\.secret$/),
    ]);
    const { out } = await run("kit", "inspect", join(project.out, "kits", "site-1"), "--json");
    expect(JSON.parse(out)).toMatchObject({ security: "tls" });
  });

  test("makes the server's kit again with the keys that it had", async () => {
    const project = await aProject();

    const { code, result, err } = await again(project, "hosts: [127.0.0.1]", "hosts: [127.0.0.1, hub.test]");

    expect(code, err).toBe(0);
    expect(result.kits).toEqual(["hub", "site-1", "site-2", "alice@example.org"]);
    const enrolment = async (kit: string) => await readFile(join(project.out, kit, "enrolment.pem"), "utf8");
    const [old = ""] = (await readdir(join(project.out, "superseded"))).filter((name) =>
      /^hub-.*[^t]$/.test(name),
    );
    expect(await enrolment("kits/hub")).toBe(await enrolment(`superseded/${old}`));
  });

  test("says when the enrolment CA ends soon, until the server's kit was renewed, which gets another", async () => {
    const { file, out } = await aProject();
    const enrolment = () => readFile(join(out, "kits", "hub", "enrolment.pem"), "utf8");
    const before = await enrolment();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 50 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());

    const told = await run("provision", file, "-o", out);
    expect(told.out).toMatch(/the enrolment CA ends in (39|40) days\. .*--renew/);
    expect(await enrolment()).toBe(before);

    const renewed = await run("provision", file, "-o", out, "--renew", "hub");
    expect(renewed.code, renewed.err).toBe(0);
    expect(renewed.out).not.toContain("enrolment CA");
    expect(await enrolment()).not.toBe(before);
  });

  test("refuses to do so when the old kit is gone, unless it is told to begin anew", async () => {
    const project = await aProject();
    await rm(join(project.out, "secrets", "hub"));
    const hosts = ["hosts: [127.0.0.1]", "hosts: [hub.test]"] as const;

    const refused = await again(project, ...hosts);
    const anew = await again(project, ...hosts, "--new-server-keys");

    expect(refused).toMatchObject({ code: 4, result: { error: { code: "ERR_SERVER_KEYS_MISSING" } } });
    expect(anew.code, anew.err).toBe(0);
  });

  test("does not give a kit to who was revoked by hand, unless it is renewed by name", async () => {
    const project = await aProject();
    await run("revoke", "site-1", "-p", project.out);

    const { result } = await again(project, "", "");
    const renewed = await again(project, "", "", "--renew", "site-1");

    expect(result).toMatchObject({ kits: [], blocked: ["site-1"] });
    expect(renewed.result).toMatchObject({ kits: ["site-1"], blocked: [] });
  });

  test("needs no kit folder to revoke: the record of what was issued is enough", async () => {
    const project = await aProject();
    await rm(join(project.out, "kits"), { recursive: true });

    const { code, err } = await run("revoke", "site-1", "site-2", "-p", project.out);

    expect(code, err).toBe(0);
    expect((await listOf(project)).entries.size).toBe(2);
  });

  test("refuses a list that was set back, for its number would be given twice", async () => {
    const project = await aProject();
    const first = await readFile(join(project.out, "root", "root.crl"));
    await run("revoke", "site-1", "-p", project.out);
    await writeFile(join(project.out, "root", "root.crl"), first);

    const { code, err } = await run("revoke", "site-2", "-p", project.out);

    expect(code).toBe(2);
    expect(err).toMatch(/^ERR_CRL_ROLLBACK /);
  });

  test("refuses another passphrase than the root's, and changes nothing", async () => {
    const project = await aProject();
    const wrong = join(dirname(project.file), "wrong");
    await writeFile(wrong, "wrong\n");
    const before = await contents(project.out);

    const { code, result } = await again(...[project, "site-2", "site-9"], ...["--passphrase-file", wrong]);

    expect([code, result.error.code]).toEqual([4, "ERR_KEY_UNREADABLE"]);
    expect(await contents(project.out)).toEqual(before);
  });
});

test("photinus provision takes the passphrase that a person chose, and keeps no copy of it", async () => {
  const file = await aDefinition();
  const [base, passphrase] = [dirname(file), "correct horse battery staple"];
  await writeFile(join(base, "passphrase"), `${passphrase}\n`);
  const [out, chosen] = [join(base, "fl"), ["--passphrase-file", join(base, "passphrase")]];

  const made = await run("provision", file, "-o", out, ...chosen);
  const revoked = await run("revoke", "site-1", "-p", out, ...chosen);

  expect([made.code, revoked.code], revoked.err).toEqual([0, 0]);
  expect(await readdir(join(out, "secrets"))).not.toContain("root-key");
  for (const [path, content] of await contents(out)) {
    expect(content.includes(Buffer.from(passphrase).toString("hex")), path).toBe(false);
  }
});

describe("a root whose key lies elsewhere", () => {
  /** A key of openssl's, and a program that signs by it. */
  async function aSigner(base: string, name: string) {
    const openssl = (...args: string[]) => promisify(execFile)("openssl", args);
    const [key, publicKey, program] = [`${name}.pem`, `${name}.pub`, name].map((file) => join(base, file));
    if (key === undefined || publicKey === undefined || program === undefined) throw new Error("three names");
    await openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", key);
    await openssl("pkey", "-in", key, "-pubout", "-out", publicKey);
    await writeFile(program, `#!/bin/sh\nexec openssl dgst -sha384 -sign ${key}\n`);
    await chmod(program, 0o700);
    return ["--signer", program, "--signer-key", publicKey];
  }

  test("signs by a program of its own, first and again, and no key of it is in the folder", async () => {
    const file = await aDefinition();
    const [base, out] = [dirname(file), join(dirname(file), "fl")];
    const signer = await aSigner(base, "signer");

    const made = await run("provision", file, "-o", out, ...signer);
    const changed = await again(
      { file, out },
      "users:",
      "  - { name: site-3, org: west }\nusers:",
      ...signer,
    );
    const revoked = await run("revoke", "site-1", "-p", out, ...signer);

    expect([made.code, changed.code, revoked.code], made.err + changed.err + revoked.err).toEqual([0, 0, 0]);
    expect(await readdir(join(out, "root"))).not.toContain("root-key.pem");
    expect((await run("kit", "verify", join(out, "kits", "site-3"))).code).toBe(0);
  });

  test("is not that of another program, of one that fails, or of one that is none", async () => {
    const file = await aDefinition();
    const [base, out] = [dirname(file), join(dirname(file), "fl")];
    const [own, other] = [await aSigner(base, "signer"), await aSigner(base, "other")];
    await run("provision", file, "-o", out, ...own);
    const before = await contents(out);

    const foreign = await run("revoke", "site-1", "-p", out, ...other);
    const mixed = await run("revoke", "site-1", "-p", out, "--signer", join(base, "other"), ...own.slice(2));
    const failing = await run("revoke", "site-1", "-p", out, "--signer", "/bin/false", ...own.slice(2));
    const missing = await run("revoke", "site-1", "-p", out, "--signer", join(base, "no"), ...own.slice(2));
    const without = await run("revoke", "site-1", "-p", out);
    const half = await run("revoke", "site-1", "-p", out, "--signer", join(base, "signer"));

    for (const { err } of [foreign, mixed, failing, missing]) expect(err).toMatch(/^ERR_SIGNER_FAILED /);
    for (const { err } of [without, half]) expect(err).toMatch(/^ERR_CONFIG_INVALID .*--signer/);
    expect(await contents(out)).toEqual(before);
  });
});

test("what provision writes is for its owner only", async () => {
  const { out } = await aProject();

  for (const name of ["", "root", "secrets", "kits/hub"]) {
    expect((await stat(join(out, name))).mode & 0o777, name).toBe(0o700);
  }
  for (const path of (await contents(out)).keys()) {
    expect((await stat(path)).mode & 0o077, path).toBe(0);
  }
});

test("a kit is verified in its folder and as the zip file that --zip makes, against the root that was told", async () => {
  const { out } = await aProject("--zip");
  const inspected = await run("kit", "inspect", join(out, "kits", "hub"), "--json");
  const { rootFingerprint: fingerprint } = JSON.parse(inspected.out) as { rootFingerprint: string };
  const colons = (fingerprint.match(/../g) ?? []).join(":").toUpperCase();

  for (const kit of [join(out, "kits", "site-1"), join(out, "zips", "site-1.zip")]) {
    expect((await run("kit", "verify", kit, "--root", colons)).out).toContain("all as signed");
    const other = await run("kit", "verify", kit, "--root", `00${fingerprint.slice(2)}`);
    expect([other.code, other.err.split(" ")[0]]).toEqual([4, "ERR_KIT_FOREIGN"]);
    expect((await run("kit", "inspect", kit, "--root", "abc")).code).toBe(4);
  }
  expect((await run("kit", "inspect", join(out, "root", "state.json"))).err).toMatch(/^ERR_KIT_UNREADABLE /);
});

test("a server knows the machines that got kits after its own, once the list lies in local/", async () => {
  const project = await aProject();
  const hub = join(project.out, "kits", "hub");
  const own = { machines: new Map([["hub", { name: "hub", role: "server" as const }]]) };
  const before = await withLaterMachines(own, hub);

  await again(project, "users:", "  - { name: site-3, org: west }\nusers:", "--kit", hub);

  expect([...before.machines.keys()]).toEqual(["hub"]);
  expect([...(await withLaterMachines(own, hub)).machines.keys()]).toContain("site-3");
  await writeFile(join(hub, "local", "machines.json"), "{}");
  await expect(withLaterMachines(own, hub)).rejects.toMatchObject({ code: "ERR_KIT_UNREADABLE" });
  await rm(join(hub, "local"), { recursive: true });
  await symlink("local", join(hub, "local")); // a loop: nobody can tell what is in it
  await expect(withLaterMachines(own, hub)).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" });
});

test("a damaged copy of the server's kit is in nobody's way but the server's", async () => {
  const project = await aProject();
  await writeFile(join(project.out, "kits", "hub", "config.json"), "{}");

  const site = await again(project, "users:", "  - { name: site-3, org: west }\nusers:");
  const server = await again(project, "hosts: [127.0.0.1]", "hosts: [hub.test]");

  expect([site.code, site.result.kits]).toEqual([0, ["site-3"]]);
  expect(server.result.error.code).toBe("ERR_KIT_FILE_CHANGED");
});
