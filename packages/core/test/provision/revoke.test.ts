import { type Bytes, toHex } from "@photinus/core/bytes";
import { certificatesFromPem, decodePem, issueRevocationList, parseCertificate } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import {
  createProject,
  KIT_FILE,
  openKit,
  openRootKey,
  type ProvisionedProject,
  type RevocableProject,
  revoke,
} from "@photinus/core/provision";
import { testProject } from "@photinus/core/testing";
import { beforeAll, expect, test } from "vitest";

const crypto = webCrypto();
const NOW_MS = Date.UTC(2026, 6, 1);
const modules = { crypto, clock: { now: () => NOW_MS } };
let project: ProvisionedProject;

beforeAll(async () => {
  const definition = {
    name: "demo",
    server: { name: "hub", org: "demo", hosts: ["127.0.0.1"], port: 8443 },
    sites: ["clinic-a", "clinic-b"].map((name) => ({ name, org: "demo" })),
    users: [{ name: "lead@example.org", org: "demo", role: "lead" }],
  };
  project = await createProject(definition, modules, { rootAlgorithm: 1 });
});

const leafOf = (name: string): Bytes => {
  const pem = project.kits.get(name)?.files.get(KIT_FILE.certificate);
  const [leaf] = pem === undefined ? [] : certificatesFromPem(pem);
  if (leaf === undefined) throw new Error(`no certificate of ${name}`);
  return leaf;
};

function sealed(keyPem: Bytes | undefined): Bytes {
  if (keyPem === undefined) throw new Error("the root's key is here");
  return keyPem;
}

async function revocable(): Promise<RevocableProject> {
  const { certificatePem, keyPem, secret = "", revocationListPem } = project.root;
  const [latest] = decodePem("X509 CRL", revocationListPem);
  if (latest === undefined) throw new Error("a project has a list");
  return {
    root: await openRootKey({ certificatePem, keyPem: sealed(keyPem), secret }, { crypto }),
    latest,
    serialNumbers: new Map(
      [...project.kits].map(([name, { certificate }]) => [name, [certificate.serialNumber]]),
    ),
    notAfterMs: new Map(
      [...project.kits.values()].map(({ certificate: { serialNumber, notAfterMs } }) => [
        toHex(serialNumber),
        notAfterMs,
      ]),
    ),
  };
}

test("a project begins with list 1, which names nobody, in the server's kit and beside the root", async () => {
  const kit = project.kits.get("hub");
  if (kit === undefined) throw new Error("the project has a server");
  const { revocationList } = await openKit(kit.files, { nowMs: NOW_MS, secret: kit.secret }, { crypto });

  const { latest } = await revocable();

  expect(revocationList).toEqual(latest);
  expect(project.kits.get("clinic-a")?.files.has(KIT_FILE.revocationList)).toBe(false);
});

test("the next list has the next number, those of the list before and the new ones, for 90 days", async () => {
  const before = await revocable();
  const second = await revoke(before, ["clinic-a"], modules, { reason: "keyCompromise" });

  const third = await revoke({ ...before, latest: second.der }, ["clinic-b", "clinic-a"], modules);

  const serialOf = async (name: string) =>
    toHex((await parseCertificate(leafOf(name), { crypto })).serialNumber);
  expect([second.number, third.number]).toEqual([2, 3]);
  expect(third.nextUpdateMs).toBe(NOW_MS + 90 * 86_400_000);
  expect([...third.entries.keys()]).toEqual([await serialOf("clinic-a"), await serialOf("clinic-b")]);
  // Who is revoked already stays as he is.
  expect(third.entries.get(await serialOf("clinic-a"))?.reason).toBe("keyCompromise");
});

test("who had expired when a list was issued is not in the next one, and whose end is not known stays", async () => {
  const at = (days: number) => ({ crypto, clock: { now: () => NOW_MS + days * 86_400_000 } });
  const before = await revocable();
  const revoked = await revoke(before, ["clinic-a", "clinic-b"], modules);
  const b = toHex((await parseCertificate(leafOf("clinic-b"), { crypto })).serialNumber);
  const notAfterMs = new Map([...before.notAfterMs].filter(([serial]) => serial !== b));

  const first = await revoke({ ...before, notAfterMs, latest: revoked.der }, [], at(361));
  const second = await revoke({ ...before, notAfterMs, latest: first.der }, [], at(400));

  expect([revoked.entries.size, first.entries.size]).toEqual([2, 2]); // one list after the end still names it
  expect([...second.entries.keys()]).toEqual([b]);
});

test("with no names the list is only renewed", async () => {
  const list = await revoke(await revocable(), [], modules);

  expect(list.number).toBe(2);
  expect(list.entries.size).toBe(0);
});

test("refuses a name that the project does not have", async () => {
  await expect(revoke(await revocable(), ["clinic-z"], modules)).rejects.toMatchObject({
    code: "ERR_PARTICIPANT_UNKNOWN",
  });
});

test("refuses to go on from a list of another root", async () => {
  const before = await revocable();
  const stranger = await testProject({ sites: [], users: [] });
  const request = { number: 9, nowMs: NOW_MS, lifetimeMs: 1000, revoked: [] };
  const { der } = await issueRevocationList(request, stranger.root, { crypto });

  await expect(revoke({ ...before, latest: der }, [], modules)).rejects.toMatchObject({
    code: "ERR_CRL_UNTRUSTED",
  });
});

test("the root's key does not open by another secret", async () => {
  const { certificatePem, keyPem } = project.root;

  await expect(
    openRootKey({ certificatePem, keyPem: sealed(keyPem), secret: "wrong" }, { crypto }),
  ).rejects.toMatchObject({
    code: "ERR_KEY_UNREADABLE",
  });
});
