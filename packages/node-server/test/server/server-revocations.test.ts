import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bytes } from "@photinus/core/bytes";
import {
  encodePem,
  type Identity,
  issueEnrolmentCa,
  issueParticipant,
  issueRevocationList,
  parseCertificate,
  requireName,
  subjectOf,
} from "@photinus/core/pki";
import type { MetadataStore } from "@photinus/core/platform";
import type { OpenedKit } from "@photinus/core/provision";
import {
  memoryMetadata,
  TEST_EPOCH_MS,
  type TestProject,
  testProject,
  trackCrypto,
  type VirtualClock,
  virtualClock,
} from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { describe, expect, onTestFinished, test } from "vitest";
import { RecordingLogger } from "../../../../test/security/equipment/recording-logger.ts";
import { ServerRevocations } from "../../src/server/server-revocations.ts";
import { serverKitOf } from "./an-opened-kit.ts";

const HOUR_MS = 3_600_000;
const crypto = nodeCrypto();

interface Setting {
  readonly project: TestProject;
  readonly clock: VirtualClock;
  readonly metadata: MetadataStore;
  readonly log: RecordingLogger;
  readonly file: string;
  readonly kit: OpenedKit;
  /** Another process on the same storage. */
  readonly open: (kit?: Partial<OpenedKit>) => ServerRevocations;
}

async function aSetting(): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const tracked = trackCrypto(crypto);
  const clock = virtualClock({ startMs: TEST_EPOCH_MS, settle: tracked.settled });
  const project = await testProject({ crypto, clock });
  const [metadata, log, file] = [memoryMetadata(), new RecordingLogger(), join(folder, "root.crl")];
  const kit = serverKitOf(project);
  const open = (changes: Partial<OpenedKit> = {}): ServerRevocations => {
    const options = { kit: { ...kit, ...changes }, file, revokedSitesFile: join(folder, "revoked-sites") };
    const opened = new ServerRevocations(options, { metadata, clock, crypto: tracked.crypto, logger: log });
    onTestFinished(() => opened.stop());
    return opened;
  };
  return { project, clock, metadata, log, file, kit, open };
}

/** Half a second passes, and what lies in the folder has been looked at: the next look is set. */
async function look({ clock }: Setting): Promise<void> {
  const isOver = () => expect.poll(() => clock.pendingTimers, { timeout: 10_000 }).toBe(1);
  await isOver(); // the look before this one
  await clock.advance(500);
  await isOver();
}

const numbersOf = ({ lists }: ServerRevocations): readonly number[] =>
  lists.numbers().map(({ number }) => number);

test("a server begins with the list of its kit, and issues the first one of its enrolment CA", async () => {
  const { open } = await aSetting();
  const server = open();

  await server.start();

  expect(numbersOf(server)).toEqual([1, 1]);
  await server.lists.requireCurrent();
});

test("the list of the enrolment CA is issued again after half of its 24 hours, and goes on counting after a restart", async () => {
  const setting = await aSetting();
  const server = setting.open();
  await server.start();

  await setting.clock.advance(11 * HOUR_MS);
  await look(setting);
  expect(numbersOf(server)).toEqual([1, 1]);
  await setting.clock.advance(2 * HOUR_MS);
  await look(setting);
  expect(numbersOf(server)).toEqual([1, 2]);
  await server.stop();
  await setting.clock.advance(30 * HOUR_MS);

  const again = setting.open();
  await again.start();

  expect(numbersOf(again)).toEqual([1, 3]);
  expect(again.lists.held[1]?.list.nextUpdateMs).toBeGreaterThan(setting.clock.now());
});

test("a new list in the file is taken while the server runs; an older one, rubbish and one of another project are not", async () => {
  const setting = await aSetting();
  const { project, file, log } = setting;
  const site = project.sites.get("site-1");
  if (site === undefined) throw new Error("the project has site-1");
  const server = setting.open();
  await server.start();
  const put = async (list: Parameters<typeof encodePem>[1]): Promise<void> => {
    await writeFile(file, encodePem("X509 CRL", list));
    await look(setting);
  };

  const [second, third] = [await project.revoke(site), await project.revoke(project.server)];
  await put(third.list);
  expect(server.lists.isRevoked(site.participant.chain)).toBe(true);
  await put(second.list);
  await writeFile(file, "rubbish");
  await look(setting);
  const stranger = await testProject({ crypto });
  await put((await stranger.revoke(stranger.server)).list);

  expect(server.lists.ofRoot?.number).toBe(3);
  const told = log.lines.filter((line) => line.includes("ERR_CRL_") || line.includes("could not be read"));
  expect(told.join("\n")).toMatch(/ERR_CRL_ROLLBACK[\s\S]*could not be read[\s\S]*ERR_CRL_UNTRUSTED/);
});

test("a server with a list out of date starts, says so, and admits nobody until the next one comes", async () => {
  const setting = await aSetting();
  const request = { number: 5, nowMs: TEST_EPOCH_MS - 2000, lifetimeMs: 1000, revoked: [] };
  const { der } = await issueRevocationList(request, setting.project.root, { crypto });
  const server = setting.open({ revocationList: der });
  await server.start();
  await expect(server.lists.requireCurrent()).rejects.toMatchObject({ code: "ERR_CRL_STALE" });
  expect(setting.log.lines.join("\n")).toContain("ERR_CRL_STALE");

  const next = { number: 6, nowMs: TEST_EPOCH_MS, lifetimeMs: 90 * 24 * HOUR_MS, revoked: [] };
  const { der: successor } = await issueRevocationList(next, setting.project.root, { crypto });
  await writeFile(setting.file, encodePem("X509 CRL", successor));
  await look(setting);

  await server.lists.requireCurrent();
});

test("a server without any list of the root admits nobody", async () => {
  const setting = await aSetting();
  const server = setting.open({ revocationList: undefined });
  await server.start();

  await expect(server.lists.requireCurrent()).rejects.toMatchObject({ code: "ERR_CRL_MISSING" });
  expect(setting.log.lines.join("\n")).toContain("ERR_CRL_MISSING");
});

test("a site that joined by a link is revoked by its name, its certificates one and all, and gets no other", async () => {
  const setting = await aSetting();
  const server = setting.open();
  await server.start();
  const [page, twin, other] = [
    await setting.project.enrol("page-1"),
    await setting.project.enrol("page-1"),
    await setting.project.enrol("page-10"),
  ];
  for (const { participant } of [page, twin, other]) {
    await server.enrolled(participant.name, participant.chain[0] ?? new Uint8Array(0));
  }

  await writeFile(join(setting.file, "..", "revoked-sites"), "page-1\n# a note\n\n");
  await look(setting);

  expect([page, twin, other].map(({ participant }) => server.lists.isRevoked(participant.chain))).toEqual([
    true,
    true,
    false,
  ]);
  await expect(
    server.enrolled("page-1", page.participant.chain[0] ?? new Uint8Array(0)),
  ).rejects.toMatchObject({
    code: "ERR_REVOKED",
  });
  expect(await server.revokeEnrolled(["page-1", "nobody"])).toBe(0);
});

/** The next certificate of the enrolment CA for the same key. */
async function renewedFor(
  { participant, signingKey }: Identity,
  { project, clock }: Setting,
): Promise<Bytes> {
  const subject = subjectOf("test", "site", participant.name);
  if (subject === undefined) throw new Error("a site has a name");
  const request = {
    ...{ subject, org: requireName(participant.org, "org"), publicKey: signingKey.publicKey },
    ...{ inviteDigest: new Uint8Array(32), nowMs: clock.now() },
  };
  return (await issueParticipant(request, project.enrolmentCa, { crypto })).der;
}

test("an order about one certificate revokes every one of its key, and no other device's", async () => {
  const setting = await aSetting();
  const server = setting.open();
  await server.start();
  const first = await setting.project.enrol("page-1");
  const { chain } = first.participant;
  const renewed = [await renewedFor(first, setting), ...chain.slice(1)];
  const ofDevice = (await setting.project.enrol("page-1")).participant.chain;
  const all = [chain, renewed, ofDevice];
  await server.enrolled("page-1", chain[0] ?? new Uint8Array(0));
  await server.enrolled("page-1", renewed[0] ?? new Uint8Array(0));
  await server.enrolled("page-1", ofDevice[0] ?? new Uint8Array(0));

  expect(await server.revoke([{ name: "page-1", der: chain[0] ?? new Uint8Array(0) }])).toBe(2);

  expect(all.map((each) => server.lists.isRevoked(each))).toEqual([true, true, false]);
  expect(await server.revoke([{ name: "page-1", der: renewed[0] ?? new Uint8Array(0) }])).toBe(0);
});

test("a name that is blocked while its certificate is noted gets none", async () => {
  const setting = await aSetting();
  const server = setting.open();
  await server.start();
  const { participant } = await setting.project.enrol("page-1");
  const { create } = setting.metadata;
  // The list of blocked names comes between the check and the note.
  setting.metadata.create = async (key, value) => {
    await writeFile(join(setting.file, "..", "revoked-sites"), "page-1\n");
    await look(setting);
    return await create.call(setting.metadata, key, value);
  };

  const enrolled = server.enrolled(participant.name, participant.chain[0] ?? new Uint8Array(0));

  await expect(enrolled).rejects.toMatchObject({ code: "ERR_REVOKED" });
});

test("says that it cannot revoke who joined by a link when its kit has lost the enrolment CA", async () => {
  const setting = await aSetting();
  const server = setting.open({ enrolment: undefined });
  await server.start();
  const { participant } = await setting.project.enrol("page-1");
  await server.enrolled(participant.name, participant.chain[0] ?? new Uint8Array(0));

  await expect(server.revokeEnrolled(["page-1"])).rejects.toMatchObject({ code: "ERR_CONFIG_INVALID" });
});

test("says that lines of the file name no site: what is misspelt is not revoked", async () => {
  const setting = await aSetting();
  await writeFile(join(setting.file, "..", "revoked-sites"), "# a note\nPage-1\n");

  await setting.open().start();

  expect(setting.log.lines.join("\n")).toContain("lines that name no site revoke nothing");
});

test("what was revoked stays revoked in the lists that follow, until its certificate has expired", async () => {
  const setting = await aSetting();
  const server = setting.open();
  await server.start();
  const { participant } = await setting.project.enrol("page-1");
  await server.enrolled("page-1", participant.chain[0] ?? new Uint8Array(0));
  await server.revokeEnrolled(["page-1"]);

  await setting.clock.advance(13 * HOUR_MS);
  await look(setting);
  expect(numbersOf(server)).toEqual([1, 3]);
  expect(server.lists.isRevoked(participant.chain)).toBe(true);
  await setting.clock.advance(9 * 24 * HOUR_MS);
  await look(setting);

  expect(server.lists.isRevoked(participant.chain)).toBe(false);
  expect(await setting.metadata.list("enrolled/")).toEqual([]);
});

test("of two processes that issue a list at once only one's counts, and the other takes it over", async () => {
  const setting = await aSetting();
  const [first, second] = [setting.open(), setting.open()];

  await Promise.all([first.start(), second.start()]);
  await first.lists.reload();
  await second.lists.reload();

  const digests = [first, second].map(({ lists }) => lists.held[1]?.list.digest);
  expect(digests[0]).toEqual(digests[1]);
  expect(numbersOf(first)).toEqual([1, 1]);
});

test("the log of a server that goes on running says in time that the root's list ends, twice a day", async () => {
  const setting = await aSetting();
  const DAY_MS = 24 * HOUR_MS;
  const request = { number: 5, nowMs: TEST_EPOCH_MS, lifetimeMs: 15 * DAY_MS, revoked: [] };
  const { der } = await issueRevocationList(request, setting.project.root, { crypto });
  const reminders = () => setting.log.lines.filter((line) => line.includes("needs a successor"));
  await setting.open({ revocationList: der }).start();
  expect(reminders()).toEqual([]);

  for (let half = 1; half <= 4; half++) {
    await setting.clock.advance(DAY_MS / 2);
    await look(setting);
  }

  expect(reminders().map((line) => /"?days"?\W+(\d+)/.exec(line)?.[1])).toEqual(["13", "13", "12"]);
});

test("the log says in time that the enrolment CA ends, and by which command it is replaced", async () => {
  const setting = await aSetting();
  const reminders = () => setting.log.lines.filter((line) => line.includes("the enrolment CA ends"));
  const first = setting.open();
  await first.start();
  expect(reminders()).toEqual([]);
  await first.stop();

  await setting.clock.advance(46 * 24 * HOUR_MS);
  await setting.open().start();

  expect(reminders().at(-1)).toMatch(/^warn the enrolment CA ends in 4[34] days .*--renew/);
});

describe("once the certificate of the enrolment CA was renewed", () => {
  /** A page of the former certificate, noted by the server before, and the kit with the next certificate of `key`. */
  async function renewed(setting: Setting, key = setting.project.enrolmentCa.key) {
    const page = await setting.project.enrol("page-1");
    const before = setting.open();
    await before.start();
    await before.enrolled("page-1", page.participant.chain[0] ?? new Uint8Array(0));
    await before.stop();
    await setting.clock.advance(HOUR_MS);
    const publicKey = key.publicKey;
    const request = { project: requireName("test", "the project"), publicKey, nowMs: setting.clock.now() };
    const certificate = await issueEnrolmentCa(request, setting.project.root, { crypto });
    const server = setting.open({ enrolment: { certificate, key } });
    await server.start();
    const [leaf] = await Promise.all([
      parseCertificate(page.participant.chain[0] ?? new Uint8Array(0), { crypto }),
    ]);
    const check = (): Promise<{ readonly status: string }> =>
      server.lists.check(leaf, setting.project.enrolmentCa.certificate, setting.clock.now());
    return { page, server, check };
  }

  test("one list serves both: who has a certificate of the former is admitted, and revoked as before", async () => {
    const setting = await aSetting();
    const { page, server, check } = await renewed(setting);
    expect(numbersOf(server)).toEqual([1, 2, 2]);

    await setting.clock.advance(47 * HOUR_MS);
    await look(setting);

    expect(await check()).toMatchObject({ status: "good" });
    expect(await server.revokeEnrolled(["page-1"])).toBe(1);
    expect(await check()).toMatchObject({ status: "revoked" });
    expect(server.lists.isRevoked(page.participant.chain)).toBe(true);
    expect(await server.revokeEnrolled(["page-1"])).toBe(0);
  });

  test("a CA of another key does not speak for the former: nobody of that is admitted once its list is stale", async () => {
    const setting = await aSetting();
    const { server, check } = await renewed(
      setting,
      await crypto.generateSigningKey(1, { extractable: true }),
    );
    expect(numbersOf(server)).toEqual([1, 1, 1]);

    await setting.clock.advance(47 * HOUR_MS);
    await look(setting);

    await expect(check()).rejects.toMatchObject({ code: "ERR_CRL_STALE" });
  });
});
