import { type Bytes, concatBytes } from "@photinus/core/bytes";
import {
  ChainCache,
  issueRevocationList,
  issueRoot,
  parseCertificate,
  RevocationLists,
  type RevocationSource,
  requireName,
  type VerifiedChain,
  verifyChain,
} from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";

const HOUR_MS = 3_600_000;
let project: TestProject;
let verifications = 0;
let nowMs = TEST_EPOCH_MS;
const clock = { now: () => nowMs };
const real = webCrypto();
const crypto = {
  ...real,
  verifyCertificateSignature: (...args: Parameters<typeof real.verifyCertificateSignature>) => {
    verifications++;
    return real.verifyCertificateSignature(...args);
  },
};

beforeAll(async () => {
  project = await testProject({ sites: ["clinic-a", "clinic-b"], users: [] });
});

beforeEach(() => {
  nowMs = TEST_EPOCH_MS;
});

function chainOf(name: string): readonly Bytes[] {
  const site = project.sites.get(name);
  if (site === undefined) throw new RangeError(`no site ${name}`);
  return site.participant.chain;
}

async function serialNumberOf(chain: readonly Bytes[]): Promise<Bytes> {
  return (await parseCertificate(chain[0] ?? new Uint8Array(), { crypto })).serialNumber;
}

/** Takes a list of the root that revokes the leafs of these chains. */
async function revoke(
  lists: RevocationLists,
  number: number,
  ...chains: readonly (readonly Bytes[])[]
): Promise<void> {
  const revoked = await Promise.all(
    chains.map(async (chain) => ({
      serialNumber: await serialNumberOf(chain),
      revokedAtMs: nowMs,
      reason: "keyCompromise" as const,
    })),
  );
  const request = { number, nowMs, lifetimeMs: 24 * HOUR_MS, revoked };
  const { der } = await issueRevocationList(request, project.root, { crypto });
  await lists.take({ list: der });
}

interface Verifying {
  readonly cache: ChainCache;
  readonly revocation?: RevocationSource;
}

/** Verifies a chain. @returns it and how many signatures that took */
async function counted(
  chain: readonly Bytes[],
  modules: Verifying,
): Promise<{ readonly verified: VerifiedChain; readonly signatures: number }> {
  const before = verifications;
  const root = project.root.certificate.der;
  const expectations = { root, project: "test", usage: "client", nowMs } as const;
  const verified = await verifyChain(chain, expectations, { crypto, ...modules });
  return { verified, signatures: verifications - before };
}

describe("a cached chain under revocation lists", () => {
  async function underLists(): Promise<{
    readonly lists: RevocationLists;
    readonly modules: Required<Verifying>;
  }> {
    const lists = new RevocationLists(
      { project: "test", root: project.root.certificate.der },
      { crypto, clock },
    );
    await revoke(lists, 1);
    return { lists, modules: { cache: new ChainCache(), revocation: lists } };
  }

  test("costs no signature until a new list comes, then one validation", async () => {
    const { lists, modules } = await underLists();
    const chain = chainOf("clinic-a");

    expect((await counted(chain, modules)).signatures).toBe(1);
    expect((await counted(chain, modules)).signatures).toBe(0);
    await revoke(lists, 2);
    expect((await counted(chain, modules)).signatures).toBe(1);
    expect((await counted(chain, modules)).signatures).toBe(0);
  });

  test("is refused as soon as a list names it, and the others are not", async () => {
    const { lists, modules } = await underLists();
    await counted(chainOf("clinic-a"), modules);
    await counted(chainOf("clinic-b"), modules);

    await revoke(lists, 2, chainOf("clinic-a"));

    await expect(counted(chainOf("clinic-a"), modules)).rejects.toMatchObject({ code: "ERR_REVOKED" });
    await expect(counted(chainOf("clinic-b"), modules)).resolves.toBeDefined();
  });

  test("is refused when the enrolment CA above it is revoked", async () => {
    const { lists, modules } = await underLists();
    const { certificate, key } = project.enrolmentCa;
    const { participant } = await project.enrol("guest-1");
    const own = { number: 1, nowMs, lifetimeMs: HOUR_MS, revoked: [] };
    const list = await issueRevocationList(own, { certificate, key }, { crypto });
    await lists.take({ list: list.der, issuer: certificate.der });
    await counted(participant.chain, modules);

    await revoke(lists, 2, [certificate.der]);

    await expect(counted(participant.chain, modules)).rejects.toMatchObject({ code: "ERR_REVOKED" });
  });

  test("is not believed any longer than the list that does not name it", async () => {
    const { modules } = await underLists();
    await counted(chainOf("clinic-a"), modules);

    nowMs = TEST_EPOCH_MS + 24 * HOUR_MS;
    expect((await counted(chainOf("clinic-a"), modules)).signatures).toBe(0);
    nowMs += 1000;

    await expect(counted(chainOf("clinic-a"), modules)).rejects.toMatchObject({ code: "ERR_CRL_STALE" });
  });

  test("is refused where its issuer has no list", async () => {
    const { modules } = await underLists();
    const { participant } = await project.enrol("guest-2");

    await expect(counted(participant.chain, modules)).rejects.toMatchObject({ code: "ERR_CRL_MISSING" });
  });

  test("does not pass where another source is asked, or the same without one", async () => {
    const { modules } = await underLists();
    const other = await underLists();
    const { cache } = modules;
    const chain = chainOf("clinic-a");
    await counted(chain, { cache });
    await revoke(other.lists, 2, chain);

    expect((await counted(chain, modules)).signatures).toBe(1);
    await expect(counted(chain, { cache, revocation: other.lists })).rejects.toMatchObject({
      code: "ERR_REVOKED",
    });
  });

  test("is validated again when a list came while it was being validated", async () => {
    const { lists, modules } = await underLists();
    const chain = chainOf("clinic-a");
    const slow: RevocationSource = {
      get epoch() {
        return lists.epoch;
      },
      async check(certificate, issuer, atMs) {
        const answer = await lists.check(certificate, issuer, atMs);
        if (lists.epoch === 1) await revoke(lists, 2, chain);
        return answer;
      },
    };
    await counted(chain, { ...modules, revocation: slow });

    await expect(counted(chain, { ...modules, revocation: slow })).rejects.toMatchObject({
      code: "ERR_REVOKED",
    });
  });
});

describe("the certificate of the enrolment CA", () => {
  const [FIRST, SECOND] = ["guest-4", "guest-5"];
  const enrolledChain = async (name: string): Promise<readonly Bytes[]> =>
    (await project.enrol(name)).participant.chain;

  test("is verified once, each site's under it once", async () => {
    const cache = new ChainCache();

    expect((await counted(await enrolledChain(FIRST), { cache })).signatures).toBe(2);
    expect((await counted(await enrolledChain(SECOND), { cache })).signatures).toBe(1);
  });

  test("is verified again under another certificate of the root", async () => {
    const cache = new ChainCache();
    await counted(await enrolledChain(FIRST), { cache });
    const { key } = project.root;
    const root = await issueRoot({ project: requireName("test", "a project"), key, nowMs }, { crypto });
    const before = verifications;

    const expectations = { root: root.der, project: "test", usage: "client", nowMs } as const;
    await verifyChain(await enrolledChain(SECOND), expectations, { crypto, cache });

    expect(verifications - before).toBe(2);
  });

  test("is refused with another signature, whatever was verified before", async () => {
    const cache = new ChainCache();
    const [leaf = new Uint8Array(), authority = new Uint8Array()] = await enrolledChain(FIRST);
    await counted([leaf, authority], { cache });
    const forged = authority.slice();
    forged[forged.length - 1]! ^= 1;

    await expect(counted([leaf, forged], { cache })).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_SIGNATURE",
    });
    expect((await counted([leaf, authority], { cache })).signatures).toBe(0);
  });

  test("is refused when it has expired, though its signature is known", async () => {
    const cache = new ChainCache();
    await counted(await enrolledChain(FIRST), { cache });
    const second = await enrolledChain(SECOND);

    nowMs = project.enrolmentCa.certificate.notAfterMs + 1;

    await expect(counted(second, { cache })).rejects.toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED" });
  });
});

test("certificates that are cut at another place are another chain, though their bytes are the same in a row", async () => {
  const cache = new ChainCache();
  const { participant } = await project.enrol("guest-3");
  const [leaf = new Uint8Array(), authority = new Uint8Array()] = participant.chain;
  await counted([leaf, authority], { cache });

  await expect(counted([concatBytes(leaf, authority)], { cache })).rejects.toMatchObject({
    code: "ERR_CERTIFICATE_MALFORMED",
  });
});
