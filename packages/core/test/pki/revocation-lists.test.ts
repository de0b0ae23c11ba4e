import { type Bytes, equalBytes } from "@photinus/core/bytes";
import {
  type Identity,
  issueRevocationList,
  metadataRevocationStore,
  parseCertificate,
  type RevocationIssuer,
  type RevocationList,
  RevocationLists,
} from "@photinus/core/pki";
import { type MetadataStore, webCrypto } from "@photinus/core/platform";
import { memoryMetadata, TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";

const crypto = webCrypto();
const DAY_MS = 86_400_000;
const untrusted = { code: "ERR_CRL_UNTRUSTED" };
const rollback = { code: "ERR_CRL_ROLLBACK" };
let project: TestProject;
let other: TestProject;
let site: Identity;
let page: Identity;

beforeAll(async () => {
  project = await testProject();
  other = await testProject({ sites: [], users: [] });
  const found = project.sites.get("site-1");
  if (found === undefined) throw new Error("the project has site-1");
  site = found;
  page = await project.enrol("page-1");
});

function listsOf(metadata?: MetadataStore, nowMs = TEST_EPOCH_MS): RevocationLists {
  const store = metadata === undefined ? {} : { store: metadataRevocationStore(metadata) };
  return new RevocationLists(
    { project: "test", root: project.root.certificate.der },
    { crypto, clock: { now: () => nowMs }, ...store },
  );
}

async function issue(
  number: number,
  identities: readonly Identity[] = [],
  issuer: RevocationIssuer = project.root,
): Promise<RevocationList> {
  const leafs = identities.map(({ participant }) => participant.chain[0] ?? new Uint8Array(0));
  const certificates = await Promise.all(leafs.map((der) => parseCertificate(der, { crypto })));
  const revoked = certificates.map(({ serialNumber }) => ({
    serialNumber,
    revokedAtMs: TEST_EPOCH_MS,
    reason: "keyCompromise" as const,
  }));
  return await issueRevocationList({ number, nowMs: TEST_EPOCH_MS, lifetimeMs: DAY_MS, revoked }, issuer, {
    crypto,
  });
}

async function answerFor({ participant }: Identity, lists: RevocationLists, atMs = TEST_EPOCH_MS) {
  const [leaf, authority = project.root.certificate.der] = participant.chain;
  if (leaf === undefined) throw new Error("an identity has a certificate");
  const [certificate, issuer] = await Promise.all(
    [leaf, authority].map((der: Bytes) => parseCertificate(der, { crypto })),
  );
  if (certificate === undefined || issuer === undefined) throw new Error("two were parsed");
  return await lists.check(certificate, issuer, atMs);
}

describe("lists of one participant", () => {
  test("nobody is admitted without a list of the root", async () => {
    const lists = listsOf();

    await expect(lists.requireCurrent()).rejects.toMatchObject({ code: "ERR_CRL_MISSING" });
    expect(await answerFor(site, lists)).toEqual({ status: "unknown" });
  });

  test("a list tells who is revoked and who is not, from the turn in which it is taken", async () => {
    const lists = listsOf();
    const epoch = lists.epoch;
    let seen: number | undefined;
    lists.watch(({ list }) => {
      seen = list.number;
      expect(lists.isRevoked(site.participant.chain)).toBe(true);
    });

    const list = await issue(3, [site]);
    expect(await lists.take({ list: list.der })).toBe(true);

    await lists.requireCurrent();
    expect(seen).toBe(3);
    expect(lists.epoch).not.toBe(epoch);
    expect(await answerFor(site, lists)).toEqual({ status: "revoked" });
    expect(await answerFor(project.server, lists)).toEqual({ status: "good", untilMs: list.nextUpdateMs });
    expect(lists.isRevoked(project.server.participant.chain)).toBe(false);
    expect(lists.numbers()).toEqual([{ issuer: project.root.certificate.digest, number: 3 }]);
  });

  test("a list of the enrolment CA tells about its sites, and the root's about the CA itself", async () => {
    const lists = listsOf();
    await lists.take({ list: (await issue(1)).der });
    expect(await answerFor(page, lists)).toEqual({ status: "unknown" });

    const ofCa = await issue(9, [page], project.enrolmentCa);
    await lists.take({ list: ofCa.der, issuer: project.enrolmentCa.certificate.der });
    expect(await answerFor(page, lists)).toEqual({ status: "revoked" });
    expect(lists.isRevoked(page.participant.chain)).toBe(true);
    expect(lists.held.map(({ list }) => list.number)).toEqual([1, 9]);

    const { serialNumber } = project.enrolmentCa.certificate;
    const entry = { serialNumber, revokedAtMs: TEST_EPOCH_MS, reason: "cACompromise" as const };
    const request = { number: 2, nowMs: TEST_EPOCH_MS, lifetimeMs: DAY_MS, revoked: [entry] };
    const another = await project.enrol("page-2");
    expect(lists.isRevoked(another.participant.chain)).toBe(false);
    await lists.take({ list: (await issueRevocationList(request, project.root, { crypto })).der });
    expect(lists.isRevoked(another.participant.chain)).toBe(true);
  });

  test("the list that is held is taken again without effect", async () => {
    const lists = listsOf();
    const { der } = await issue(1);
    await lists.take({ list: der });
    const { epoch } = lists;

    expect(await lists.take({ list: der.slice() })).toBe(false);
    expect(lists.epoch).toBe(epoch);
  });

  test("a list out of date admits nobody, and still names who is revoked", async () => {
    const lists = listsOf(undefined, TEST_EPOCH_MS + DAY_MS + 1);
    await lists.take({ list: (await issue(1, [site])).der });

    await expect(lists.requireCurrent()).rejects.toMatchObject({ code: "ERR_CRL_STALE" });
    const lateMs = TEST_EPOCH_MS + DAY_MS + 1;
    await expect(answerFor(project.server, lists, lateMs)).rejects.toMatchObject({ code: "ERR_CRL_STALE" });
    expect(await answerFor(site, lists, lateMs)).toEqual({ status: "revoked" });
  });
});

describe("refused is", () => {
  test("a number that goes back, and another list with the same number", async () => {
    const lists = listsOf();
    await lists.take({ list: (await issue(5, [site])).der });

    await expect(lists.take({ list: (await issue(4)).der })).rejects.toMatchObject(rollback);
    await expect(lists.take({ list: (await issue(5)).der })).rejects.toMatchObject(rollback);
    expect(lists.isRevoked(site.participant.chain)).toBe(true);
    expect(() => lists.requireNotOlder([{ issuer: project.root.certificate.digest, number: 4 }])).toThrow(
      expect.objectContaining(rollback),
    );
    lists.requireNotOlder([{ issuer: project.root.certificate.digest, number: 5 }]);
    lists.requireNotOlder([{ issuer: new Uint8Array(32), number: 0 }]);
  });

  test("of two lists that come at once, the older", async () => {
    const lists = listsOf();
    const [newer, older] = await Promise.all([issue(2), issue(1)]);

    const outcomes = await Promise.allSettled([
      lists.take({ list: newer.der }),
      lists.take({ list: older.der }),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(lists.ofRoot?.number).toBe(2);
  });

  test("a list of another project, also with our CA's or its own issuer beside it", async () => {
    const lists = listsOf();
    const foreign = await issue(8, [], other.root);
    const foreignCa = await issue(8, [], other.enrolmentCa);

    await expect(lists.take({ list: foreign.der })).rejects.toMatchObject(untrusted);
    await expect(lists.take({ list: foreign.der, issuer: other.root.certificate.der })).rejects.toMatchObject(
      { code: expect.stringMatching(/^ERR_(CERTIFICATE|CRL)_/) },
    );
    await expect(
      lists.take({ list: foreignCa.der, issuer: other.enrolmentCa.certificate.der }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_CERTIFICATE_/) });
    expect(lists.held).toEqual([]);
  });

  test("a list that a participant signed", async () => {
    const lists = listsOf();
    const [der] = project.server.participant.chain;
    if (der === undefined) throw new Error("the server has a certificate");
    const certificate = await parseCertificate(der, { crypto });
    const list = await issue(8, [], { certificate, key: project.server.signingKey });

    await expect(lists.take({ list: list.der, issuer: der })).rejects.toMatchObject(untrusted);
  });

  test("a list with an altered byte; what was held stays", async () => {
    const lists = listsOf();
    await lists.take({ list: (await issue(1)).der });
    const altered = (await issue(2, [site])).der.slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;

    await expect(lists.take({ list: altered })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_/),
    });
    expect(lists.ofRoot?.number).toBe(1);
  });
});

describe("after a restart", () => {
  test("the newest lists are known, and a list that goes back is refused", async () => {
    const metadata = memoryMetadata();
    const before = listsOf(metadata);
    await before.take({ list: (await issue(1)).der });
    await before.take({ list: (await issue(6, [site])).der });
    const ofCa = { list: (await issue(2, [page], project.enrolmentCa)).der };
    await before.take({ ...ofCa, issuer: project.enrolmentCa.certificate.der });

    const after = listsOf(metadata);
    await expect(after.take({ list: (await issue(5)).der })).rejects.toMatchObject(rollback);

    expect(after.held.map(({ list }) => list.number)).toEqual([6, 2]);
    expect(after.isRevoked(site.participant.chain)).toBe(true);
    expect(after.isRevoked(page.participant.chain)).toBe(true);
  });

  test("a list of a CA that has expired meanwhile is forgotten", async () => {
    const metadata = memoryMetadata();
    const before = listsOf(metadata);
    await before.take({ list: (await issue(1)).der });
    const ofCa = { list: (await issue(2, [page], project.enrolmentCa)).der };
    await before.take({ ...ofCa, issuer: project.enrolmentCa.certificate.der });

    const after = listsOf(metadata, TEST_EPOCH_MS + 91 * DAY_MS);
    await after.load();

    expect(after.held.map(({ issuer }) => issuer.der)).toEqual([project.root.certificate.der]);
  });

  test("looking again passes over the list of a CA that has expired, and finds the newer one of the root", async () => {
    const metadata = memoryMetadata();
    const before = listsOf(metadata);
    await before.take({ list: (await issue(1)).der });
    const ofCa = { list: (await issue(2, [page], project.enrolmentCa)).der };
    await before.take({ ...ofCa, issuer: project.enrolmentCa.certificate.der });
    const after = listsOf(metadata, TEST_EPOCH_MS + 91 * DAY_MS);
    await after.load();

    await before.take({ list: (await issue(3, [site])).der });
    await after.reload();

    expect(after.held.map(({ list }) => list.number)).toEqual([3]);
    expect(after.isRevoked(site.participant.chain)).toBe(true);
  });

  test("a record that was altered admits nobody", async () => {
    const metadata = memoryMetadata();
    await listsOf(metadata).take({ list: (await issue(1)).der });
    const [entry] = await metadata.list("revocation/");
    if (entry === undefined) throw new Error("a list was stored");
    const altered = entry.value.slice();
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    await metadata.put(entry.key, altered);

    const after = listsOf(metadata);
    await expect(after.requireCurrent()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
    await expect(after.take({ list: (await issue(2)).der })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_/),
    });
  });

  test("a list that another process has taken is found by looking again; an older one is not written over it", async () => {
    const metadata = memoryMetadata();
    const [first, second] = [listsOf(metadata), listsOf(metadata)];
    await first.take({ list: (await issue(1)).der });
    await second.take({ list: (await issue(3, [site])).der });

    await first.take({ list: (await issue(2)).der });
    expect(first.isRevoked(site.participant.chain)).toBe(false);
    await first.reload();

    expect(first.isRevoked(site.participant.chain)).toBe(true);
    expect(first.ofRoot?.number).toBe(3);
    const third = listsOf(metadata);
    await third.load();
    expect(equalBytes(third.ofRoot?.der ?? new Uint8Array(0), first.ofRoot?.der ?? new Uint8Array(1))).toBe(
      true,
    );
  });
});
