import type { Bytes } from "@photinus/core/bytes";
import { ChainCache, type ChainExpectations, type ChainUsage, verifyChain } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";

const crypto = webCrypto();
const DAY_MS = 86_400_000;
let project: TestProject;

beforeAll(async () => {
  project = await testProject({ sites: ["clinic-a"], users: [{ name: "ada+ml@example.org", role: "lead" }] });
});

function expecting(usage: ChainUsage, more: Partial<ChainExpectations> = {}): ChainExpectations {
  return { root: project.root.certificate.der, project: "test", usage, nowMs: TEST_EPOCH_MS, ...more };
}

function verify(chain: readonly Bytes[], expectations: ChainExpectations) {
  return verifyChain(chain, expectations, { crypto });
}

function siteChain(): readonly Bytes[] {
  const site = project.sites.get("clinic-a");
  if (site === undefined) throw new Error("no site");
  return site.participant.chain;
}

describe("a valid chain", () => {
  test("proves the server by project, role, name and organization", async () => {
    const { participant, publicKey } = await verify(project.server.participant.chain, expecting("server"));

    expect(participant).toMatchObject({ project: "test", role: "server", name: "hub", org: "example" });
    expect(participant.leafDigest).toHaveLength(32);
    expect(publicKey).toEqual(project.server.signingKey.publicKey);
  });

  test("proves a site, and a user by the e-mail", async () => {
    const user = project.users.get("ada+ml@example.org");

    expect((await verify(siteChain(), expecting("client"))).participant.name).toBe("clinic-a");
    expect((await verify(user?.participant.chain ?? [], expecting("client"))).participant).toMatchObject({
      role: "lead",
      name: "ada+ml@example.org",
    });
  });

  test("may end with the root, which is then left out", async () => {
    const chain = [...siteChain(), project.root.certificate.der];

    const { participant } = await verify(chain, expecting("client"));

    expect(participant.chain).toHaveLength(1);
  });

  test("of an enrolled site leads over the enrolment CA and tells the invite's digest", async () => {
    const site = await project.enrol("guest-1");

    const verified = await verify(site.participant.chain, expecting("client"));

    expect(verified.participant).toMatchObject({ role: "site", name: "guest-1" });
    expect(verified.inviteDigest).toEqual(new Uint8Array(32).fill(7));
    expect(verified.notAfterMs).toBe(TEST_EPOCH_MS + 7 * DAY_MS);
  });

  test("gives a key that verifies the holder's signatures", async () => {
    const data = new Uint8Array([1, 2, 3]);
    const signature = await crypto.sign(project.server.signingKey, data);

    const { verifyingKey } = await verify(project.server.participant.chain, expecting("server"));

    expect(await crypto.verify(verifyingKey, signature, data)).toBe(true);
  });
});

describe("a chain is refused", () => {
  test("under the root of another project of the same name", async () => {
    const other = await testProject({ sites: [], users: [] });
    const root = other.root.certificate.der;

    await expect(verify(siteChain(), expecting("client", { root }))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNTRUSTED",
    });
  });

  test("before and after the time in which all its certificates are valid", async () => {
    const early = expecting("client", { nowMs: TEST_EPOCH_MS - 301_000 });
    const late = expecting("client", { nowMs: TEST_EPOCH_MS + 360 * DAY_MS + 1000 });

    await expect(verify(siteChain(), early)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_NOT_YET_VALID" });
    await expect(verify(siteChain(), late)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED" });
  });

  test("of a server used as a client, and of a site used as a server", async () => {
    const purpose = { code: "ERR_CERTIFICATE_PURPOSE" };

    await expect(verify(project.server.participant.chain, expecting("client"))).rejects.toMatchObject(
      purpose,
    );
    await expect(verify(siteChain(), expecting("server"))).rejects.toMatchObject(purpose);
  });

  test("of a role that is not admitted", async () => {
    const expectations = expecting("client", { roles: ["project_admin"] });

    await expect(verify(siteChain(), expectations)).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_PURPOSE",
    });
  });

  test("of another project or another name than expected", async () => {
    const name = { code: "ERR_CERTIFICATE_NAME" };

    await expect(verify(siteChain(), expecting("client", { project: "other" }))).rejects.toMatchObject(name);
    await expect(verify(siteChain(), expecting("client", { name: "clinic-b" }))).rejects.toMatchObject(name);
  });

  test("when a certificate is missing, doubled, or the chain is empty or too long", async () => {
    const site = await project.enrol("guest-2");
    const [leaf, authority] = site.participant.chain;
    if (leaf === undefined || authority === undefined) throw new Error("two certificates expected");
    const untrusted = { code: "ERR_CERTIFICATE_UNTRUSTED" };

    await expect(verify([leaf], expecting("client"))).rejects.toMatchObject(untrusted);
    await expect(verify([leaf, leaf, authority], expecting("client"))).rejects.toMatchObject(untrusted);
    await expect(verify([], expecting("client"))).rejects.toMatchObject(untrusted);
    await expect(verify([leaf, authority, authority, authority], expecting("client"))).rejects.toMatchObject(
      untrusted,
    );
  });

  test("when a leaf issued the leaf", async () => {
    const [leaf] = siteChain();
    if (leaf === undefined) throw new Error("no leaf");
    const other = await project.add("site", "clinic-b");

    await expect(verify([...other.participant.chain, leaf], expecting("client"))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNTRUSTED",
    });
  });

  test("when any one byte of the leaf is altered", async () => {
    const [leaf] = siteChain();
    if (leaf === undefined) throw new Error("no leaf");
    for (let at = 0; at < leaf.length; at += 3) {
      const altered = leaf.slice();
      altered[at] = (altered[at] ?? 0) ^ 0x01;

      await expect(verify([altered], expecting("client")), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_CERTIFICATE_/) as string,
      });
    }
  });

  test("with bytes after a certificate or with a certificate cut off", async () => {
    const [leaf] = siteChain();
    if (leaf === undefined) throw new Error("no leaf");
    const longer = new Uint8Array([...leaf, 0]);

    await expect(verify([longer], expecting("client"))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_MALFORMED",
    });
    await expect(verify([leaf.slice(0, -1)], expecting("client"))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_MALFORMED",
    });
  });
});

describe("a cache of chains", () => {
  test("spares the signatures of a chain that was verified before", async () => {
    let verifications = 0;
    const counting = {
      ...crypto,
      verifyCertificateSignature: (...args: Parameters<typeof crypto.verifyCertificateSignature>) => {
        verifications++;
        return crypto.verifyCertificateSignature(...args);
      },
    };
    const modules = { crypto: counting, cache: new ChainCache() };

    await verifyChain(siteChain(), expecting("client"), modules);
    const { participant } = await verifyChain(siteChain(), expecting("client"), modules);

    expect(verifications).toBe(1);
    expect(participant.name).toBe("clinic-a");
  });

  test("still refuses a wrong purpose, a wrong name and an expired certificate", async () => {
    const modules = { crypto, cache: new ChainCache() };
    const late = expecting("client", { nowMs: TEST_EPOCH_MS + 400 * DAY_MS });
    await verifyChain(siteChain(), expecting("client"), modules);

    await expect(verifyChain(siteChain(), expecting("server"), modules)).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_PURPOSE",
    });
    await expect(
      verifyChain(siteChain(), expecting("client", { project: "other" }), modules),
    ).rejects.toMatchObject({ code: "ERR_CERTIFICATE_NAME" });
    await expect(verifyChain(siteChain(), late, modules)).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_EXPIRED",
    });
  });

  test("does not know a chain under another root", async () => {
    const modules = { crypto, cache: new ChainCache() };
    const other = await testProject({ sites: [], users: [] });
    await verifyChain(siteChain(), expecting("client"), modules);

    await expect(
      verifyChain(siteChain(), expecting("client", { root: other.root.certificate.der }), modules),
    ).rejects.toMatchObject({ code: "ERR_CERTIFICATE_UNTRUSTED" });
  });

  test("keeps as many chains as it may and forgets the one not asked for the longest", async () => {
    const cache = new ChainCache({ capacity: 2 });
    const modules = { crypto, cache };
    for (const name of ["one", "two", "three"]) {
      const { participant } = await project.add("site", name);
      await verifyChain(participant.chain, expecting("client"), modules);
    }

    expect(cache.size).toBe(2);
  });
});
