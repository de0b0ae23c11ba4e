import { expect, test } from "vitest";
import {
  type AuditLog,
  auditLog,
  HeadWitness,
  openAuditEvidence,
  recordedHeadMemory,
  recordLoss,
  sealAuditHead,
  verifyChain,
  witnessedBy,
} from "../../src/audit/index.ts";
import type { Bytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import type { VerifiedObject } from "../../src/envelope/index.ts";
import { StorageError } from "../../src/errors/index.ts";
import { type AuditRecord, type AuditStore, silentLogger, webCrypto } from "../../src/platform/index.ts";
import { AuditExchange } from "../../src/site/audit-exchange.ts";
import { memoryAudit } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite } from "./raw-site.ts";

const EXCHANGE_MS = 300_000;

/** A site with a chain of its own, and what became of both chains. */
async function witnessing(federation: TestFederation, store: AuditStore = memoryAudit(federation.crypto)) {
  const audit = auditLog(store, federation.clock);
  const site = federation.site("site-1", { modules: { audit } });
  await federation.clock.settle();
  return { site, store, audit };
}

/** Something is recorded, and its head exchanged. */
async function exchanged({ clock }: TestFederation, audit: AuditLog): Promise<void> {
  await audit.record({ action: "job", outcome: "accepted" });
  await clock.advance(EXCHANGE_MS);
}

async function recordsOf(store: Pick<AuditStore, "read">, action: string): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const record of store.read()) if (record.event.action === action) records.push(record);
  return records;
}

/** The first records of a chain, as a backup holds them. */
async function cutAfter(store: AuditStore, count: number): Promise<AuditStore> {
  const copy = memoryAudit(webCrypto());
  for await (const { sequence, event } of store.read()) if (sequence <= count) await copy.append(event);
  return copy;
}

test("each side records the other's signed head when the site comes, and every five minutes while there is news", async () => {
  const federation = await TestFederation.start();
  const { store, audit } = await witnessing(federation);

  expect(await recordsOf(store, "witness")).toHaveLength(1);
  expect(await recordsOf(federation.audit, "witness")).toHaveLength(1);
  for (const object of ["one", "two"]) {
    await audit.record({ action: "job", object, outcome: "accepted" });
    await federation.clock.advance(EXCHANGE_MS);
  }

  const [bySite, byServer] = [
    await recordsOf(store, "witness"),
    await recordsOf(federation.audit, "witness"),
  ];
  expect(bySite).toHaveLength(3);
  expect(byServer).toHaveLength(3);
  expect(byServer[0]?.event).toMatchObject({ object: "site-1", outcome: "accepted", details: { count: 1 } });
  expect(bySite[0]?.event).toMatchObject({ object: "hub", outcome: "accepted" });
  await federation.stop();
});

test("heads alone are no news: an idle site and its server exchange them once an hour", async () => {
  const federation = await TestFederation.start();
  const { store } = await witnessing(federation);

  await federation.clock.advance(11 * EXCHANGE_MS);
  expect(await recordsOf(store, "witness")).toHaveLength(1);
  await federation.clock.advance(2 * EXCHANGE_MS);

  expect(await recordsOf(store, "witness")).toHaveLength(2);
  expect(await recordsOf(federation.audit, "witness")).toHaveLength(2);
  await federation.stop();
});

test("what was witnessed is signed by its owner, and the chain holds it", async () => {
  const federation = await TestFederation.start();
  const { store } = await witnessing(federation);
  const [record] = await recordsOf(store, "witness");
  const witness = record && witnessedBy(record);
  if (witness === undefined) throw new Error("a head was witnessed");
  const { crypto } = federation;
  const keyOf = ({ signingKey }: typeof federation.project.server) =>
    crypto.importVerifyingKey(signingKey.publicKey, signingKey.algorithm);

  const evidence = await openAuditEvidence(witness.object, await keyOf(federation.project.server), crypto);

  expect(evidence).toMatchObject({ count: witness.count, hash: witness.hash });
  await expect(
    verifyChain(crypto, federation.audit.read(), { witnesses: [evidence] }),
  ).resolves.toBeDefined();
  const stranger = await keyOf(federation.identityOf("site-2"));
  await expect(openAuditEvidence(witness.object, stranger, crypto)).rejects.toMatchObject({
    code: "ERR_ENVELOPE_SIGNATURE_INVALID",
  });
  await federation.stop();
});

test("a site whose records were set back takes no job, says why, and records it", async () => {
  const federation = await TestFederation.start();
  const { site, store, audit } = await witnessing(federation);
  await exchanged(federation, audit);
  await federation.clock.runUntil(site.stop());
  const older = await cutAfter(store, 1);

  await witnessing(federation, older);
  const jobId = await federation.submit({ minimumSites: 1, waitForSitesMs: 5000 });
  const view = await federation.untilEnd(jobId);

  expect(view.state).toBe("failed");
  expect((await recordsOf(federation.audit, "consent")).at(-1)?.event).toMatchObject({ outcome: "refused" });
  const refused = (await recordsOf(older, "witness")).find(({ event }) => event.outcome === "refused");
  expect(refused?.event).toMatchObject({ object: "site-1", reason: "ERR_AUDIT_BEHIND" });
  const atServer = (await recordsOf(federation.audit, "witness")).at(-1);
  expect(atServer?.event).toMatchObject({ outcome: "refused", reason: "ERR_AUDIT_BEHIND" });
  await federation.stop();
});

test("a chain that was set back is noticed though it has grown past what was witnessed, and in the next process too", async () => {
  const federation = await TestFederation.start();
  const { site, store, audit } = await witnessing(federation);
  await exchanged(federation, audit);
  await federation.clock.runUntil(site.stop());
  const older = await cutAfter(store, 1);
  const restored = auditLog(older, federation.clock);
  for (let count = 0; count < 20; count++) await restored.record({ action: "policy", outcome: "done" });

  const again = await witnessing(federation, older);
  await federation.clock.runUntil(again.site.stop());
  await federation.clock.advance(EXCHANGE_MS);
  await witnessing(federation, older);
  const view = await federation.untilEnd(await federation.submit({ minimumSites: 1, waitForSitesMs: 5000 }));

  expect(view.state).toBe("failed");
  const refused = (await recordsOf(older, "witness")).filter(({ event }) => event.outcome === "refused");
  expect(refused.map(({ event }) => event.object)).toEqual(["site-1"]);
  await federation.stop();
});

test("a chain that was deleted is noticed as well", async () => {
  const federation = await TestFederation.start();
  const { site, audit } = await witnessing(federation);
  await exchanged(federation, audit);
  await federation.clock.runUntil(site.stop());

  const { store } = await witnessing(federation, memoryAudit(federation.crypto));

  const last = (await recordsOf(store, "witness")).map(({ event }) => event.reason);
  expect(last).toContain("ERR_AUDIT_BEHIND");
  await federation.stop();
});

test("a loss that an operator has accepted since then is no reason to refuse jobs", async () => {
  const federation = await TestFederation.start();
  const { site, store, audit } = await witnessing(federation);
  await exchanged(federation, audit);
  await federation.clock.runUntil(site.stop());
  const older = await cutAfter(store, 1);
  await federation.clock.advance(1000);
  await recordLoss(auditLog(older, federation.clock), "the disk was replaced");

  await witnessing(federation, older);
  const view = await federation.untilEnd(await federation.submit({ minimumSites: 1, rounds: 1 }));

  expect(view.state).toBe("finished");
  await federation.stop();
});

test("a server whose chain has become shorter is recorded by the site, which goes on", async () => {
  const federation = await TestFederation.start();
  const { store, audit } = await witnessing(federation);
  await exchanged(federation, audit);
  Reflect.set(federation, "audit", memoryAudit(federation.crypto)); // other storage: its chain begins again
  await federation.restart();
  await federation.clock.advance(EXCHANGE_MS);

  const refused = (await recordsOf(store, "witness")).filter(({ event }) => event.outcome === "refused");

  expect(refused[0]?.event).toMatchObject({ object: "hub", reason: "ERR_AUDIT_BEHIND" });
  const { count, witnessedCount } = { count: 0, witnessedCount: 0, ...refused[0]?.event.details };
  expect(witnessedCount).toBeGreaterThan(Number(count));
  await federation.stop();
});

test("only its own head is taken of a site, and one a minute", async () => {
  const federation = await TestFederation.start();
  const raw = await RawSite.connect(federation, "site-1");
  const { crypto, clock } = federation;
  const headOf = (name: string) =>
    sealAuditHead(
      { count: 1, hash: new Uint8Array(32) },
      { identity: federation.identityOf(name), crypto, clock },
    );

  await raw.session.sendObject(await headOf("site-2"), federation.identityOf("site-2").participant.chain);
  await raw.session.sendObject(await headOf("site-1"), []);
  await raw.session.sendObject(await headOf("site-1"), []);
  await clock.settle();

  const taken = (await recordsOf(federation.audit, "witness")).map(({ event }) => event.object);
  expect(taken).toEqual(["site-1"]);
  await federation.stop();
});

test("a site takes one head a minute of its server, which could fill its disk with them", async () => {
  const federation = await TestFederation.start();
  const { crypto, clock } = federation;
  const store = memoryAudit(crypto);
  const exchange = new AuditExchange({ audit: auditLog(store, clock), clock, crypto, logger: silentLogger });
  const signer = federation.project.server.participant;
  const head = (count: number) =>
    ({
      ...{ signer, issuedAt: clock.now(), bytes: new Uint8Array(3) },
      payload: encode({ count, hash: new Uint8Array(32).fill(count) }, builtInRegistry()),
    }) as unknown as VerifiedObject;

  exchange.opened(federation.identityOf("site-1"));
  await exchange.take(head(1));
  await expect(exchange.take(head(2))).rejects.toMatchObject({ code: "ERR_RATE_LIMITED" });
  await clock.advance(60_000);
  await exchange.take(head(3));
  exchange.opened(federation.identityOf("site-1")); // in a new session it is told at once
  await exchange.take(head(4));

  expect(await recordsOf(store, "witness")).toHaveLength(3);
  await federation.stop();
});

test("evidence counts by the site's own signature only, and not against a chain that holds it", async () => {
  const federation = await TestFederation.start();
  const { crypto, clock } = federation;
  const audit = auditLog(memoryAudit(crypto), clock);
  const exchange = new AuditExchange({ audit, clock, crypto, logger: silentLogger });
  const identity = federation.identityOf("site-1");
  const { hash } = await audit.record({ action: "chain", outcome: "done" });
  const shown = (object: Bytes) => {
    exchange.opened(identity); // it is shown once in each session
    return exchange.behind(object);
  };
  const forged = { count: 9, hash: new Uint8Array(32) };

  await shown(await sealAuditHead({ count: 1, hash }, { identity, crypto, clock }));
  expect(exchange.fault).toBeUndefined();
  const byServer = await sealAuditHead(forged, { identity: federation.project.server, crypto, clock });
  await expect(shown(byServer)).rejects.toMatchObject({ code: "ERR_ENVELOPE_SIGNATURE_INVALID" });
  expect(exchange.fault).toBeUndefined();
  await shown(await sealAuditHead(forged, { identity, crypto, clock }));
  expect(exchange.fault).toMatch(/up to record 9/);
  const { sequence } = (await audit.store.head()) ?? {};
  await exchange.behind(await sealAuditHead(forged, { identity, crypto, clock }));
  expect((await audit.store.head())?.sequence).toBe(sequence);
  await federation.stop();
});

test("records that could not be read once are read the next time", async () => {
  const store = memoryAudit(webCrypto());
  let isBroken = true;
  const memory = recordedHeadMemory({
    read: (from) => {
      if (isBroken) throw new StorageError("ERR_STORAGE_UNAVAILABLE", "the disk is away");
      return store.read(from);
    },
  });

  await expect(memory.last("server")).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
  isBroken = false;
  expect(await memory.last("server")).toBeUndefined();
});

test("a head that was signed before the last one is late, not a chain that went back", async () => {
  const federation = await TestFederation.start();
  const { crypto, clock } = federation;
  const store = memoryAudit(crypto);
  const witness = new HeadWitness(recordedHeadMemory(store), auditLog(store, clock));
  const head = (count: number, issuedAt: number) =>
    ({
      ...{ signer: federation.project.server.participant, issuedAt, bytes: new Uint8Array(3) },
      payload: encode({ count, hash: new Uint8Array(32).fill(count) }, builtInRegistry()),
    }) as unknown as VerifiedObject;

  expect(await witness.take(head(5, 1000), "server")).toBeUndefined();
  expect(await witness.take(head(3, 999), "server")).toBeUndefined();
  expect(await witness.take(head(4, 1001), "server")).toMatchObject({ count: 5 });
  expect(await witness.take(head(5, 1001), "server")).toBeUndefined();
  expect((await recordsOf(store, "witness")).map(({ event }) => event.outcome)).toEqual([
    "accepted",
    "refused",
    "accepted",
  ]);
  await federation.stop();
});
