import {
  type AuditHead,
  auditLog,
  auditRecordFromJson,
  auditRecordToJson,
  decodeAuditEntry,
  encodeAuditEntry,
  exportAudit,
  importAudit,
  verifyChain,
  withoutPersonal,
} from "@photinus/core/audit";
import { toHex } from "@photinus/core/bytes";
import { type AuditEvent, type AuditRecord, webCrypto } from "@photinus/core/platform";
import { memoryAudit, virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";

const crypto = webCrypto();

const anEvent = (changes: Partial<AuditEvent> = {}): AuditEvent => ({
  atMs: 1_767_225_600_000,
  actor: "system",
  action: "round",
  object: "job-1",
  outcome: "done",
  reason: "",
  correlation: "job-1",
  details: { round: 3, norm: 0.25, partial: false, rule: "weighted-mean" },
  ...changes,
});

async function aChain(length: number): Promise<AuditRecord[]> {
  const store = memoryAudit(crypto);
  for (let index = 0; index < length; index++) await store.append(anEvent({ object: `job-${index}` }));
  return await collect(store.read());
}

const brokenAt = (sequence: number): unknown =>
  expect.objectContaining({ code: "ERR_AUDIT_BROKEN", sequence });

test("a record has one encoding, whatever the order of its details", () => {
  const reversed = Object.fromEntries(Object.entries(anEvent().details).reverse());
  const bytes = encodeAuditEntry({ sequence: 7, event: anEvent() });

  expect(encodeAuditEntry({ sequence: 7, event: anEvent({ details: reversed }) })).toEqual(bytes);
  expect(decodeAuditEntry(bytes)).toEqual({ sequence: 7, event: anEvent() });
});

test("the first records of a chain keep these hashes", async () => {
  const [first, second] = await aChain(2);

  expect(toHex(first!.previousHash)).toBe("00".repeat(32));
  expect(toHex(second!.previousHash)).toBe(toHex(first!.hash));
  expect(toHex(second!.hash)).toBe("813f04da8a35ec5ad0c01564d1c1021b13925ccf7df175a7f0d9378d0ecc5c88");
});

test("refuses events that are too large or hold no finite number", () => {
  const encoding = (changes: Partial<AuditEvent>) => () =>
    encodeAuditEntry({ sequence: 1, event: anEvent(changes) });

  expect(encoding({ reason: "x".repeat(1025) })).toThrow(RangeError);
  expect(encoding({ details: { loss: Number.NaN } })).toThrow(RangeError);
  expect(
    encoding({ details: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, i])) }),
  ).toThrow(RangeError);
  expect(encoding({ actor: "\ud800" })).toThrow(RangeError);
});

test("refuses stored bytes that are not those of a record", () => {
  const bytes = encodeAuditEntry({ sequence: 1, event: anEvent() });

  expect(() => decodeAuditEntry(bytes.slice(0, -1))).toThrow(
    expect.objectContaining({ code: "ERR_STORAGE_CORRUPT" }),
  );
});

test("verifies a chain and tells its head", async () => {
  const records = await aChain(5);

  const head = await verifyChain(crypto, records);

  expect(head).toEqual({ count: 5, hash: records[4]!.hash });
  await expect(verifyChain(crypto, [])).resolves.toEqual({ count: 0, hash: new Uint8Array(32) });
});

test.each<[string, number, (records: AuditRecord[]) => AuditRecord[]]>([
  ["a changed event", 3, (r) => r.with(2, { ...r[2]!, event: anEvent({ outcome: "failed" }) })],
  ["a changed detail", 2, (r) => r.with(1, { ...r[1]!, event: { ...r[1]!.event, details: { round: 4 } } })],
  ["a removed record", 2, (r) => r.toSpliced(1, 1)],
  ["a removed first record", 1, (r) => r.slice(1)],
  ["two records that changed places", 2, (r) => [r[0]!, r[2]!, r[1]!, r[3]!, r[4]!]],
  ["a record that occurs twice", 3, (r) => r.toSpliced(2, 0, r[1]!)],
  ["a changed hash", 5, (r) => r.with(4, { ...r[4]!, hash: new Uint8Array(32) })],
  ["an event that no record may hold", 1, (r) => r.with(0, { ...r[0]!, event: anEvent({ atMs: -1 }) })],
])("names the first broken record: %s", async (_, sequence, tamper) => {
  const records = tamper(await aChain(5));

  await expect(verifyChain(crypto, records)).rejects.toEqual(brokenAt(sequence));
});

test("a chain that was written anew from one record on breaks against a witness", async () => {
  const original = await aChain(5);
  const witness: AuditHead = { count: 4, hash: original[3]!.hash };
  const store = memoryAudit(crypto);
  for (const { event } of original.with(1, { ...original[1]!, event: anEvent({ actor: "mallory" }) })) {
    await store.append(event);
  }

  await expect(verifyChain(crypto, store.read())).resolves.toMatchObject({ count: 5 });
  await expect(verifyChain(crypto, store.read(), { witnesses: [witness] })).rejects.toEqual(brokenAt(4));
});

test("a cut tail breaks against a witness", async () => {
  const records = await aChain(5);
  const witness: AuditHead = { count: 5, hash: records[4]!.hash };

  await expect(verifyChain(crypto, records.slice(0, 3), { witnesses: [witness] })).rejects.toEqual(
    brokenAt(4),
  );
});

test("an export in lines of JSON verifies like the store, however it is cut into parts", async () => {
  const records = await aChain(3);
  const hostile = await memoryAudit(crypto).append(anEvent({ actor: 'x"\n{"sequence":1}\u2028' }));
  const text = (await collect(exportAudit(asyncOf(records)))).join("");

  const imported = await collect(importAudit(text.match(/.{1,7}|\n/gs)!));

  expect(imported).toEqual(records);
  expect(auditRecordToJson(hostile)).not.toContain("\n");
  await expect(verifyChain(crypto, imported)).resolves.toMatchObject({ count: 3 });
});

test("a line that is not a record is named", async () => {
  const [record] = await aChain(1);
  const line = auditRecordToJson(record!);

  expect(() => auditRecordFromJson("{", 4)).toThrow(brokenAt(4) as Error);
  expect(() => auditRecordFromJson(line.replace('"outcome"', '"result"'), 1)).toThrow(brokenAt(1) as Error);
  expect(() => auditRecordFromJson(line.replace("{", '{"extra":1,'), 1)).toThrow(brokenAt(1) as Error);
});

test("a log stamps events with the time of its clock", async () => {
  const clock = virtualClock({ startMs: 1000 });
  const log = auditLog(memoryAudit(crypto), clock);

  const record = await log.record({ action: "login", actor: "site-1", outcome: "accepted" });

  expect(record.event).toMatchObject({ atMs: 1000, actor: "site-1", object: "", details: {} });
});

async function* asyncOf<T>(items: readonly T[]): AsyncGenerator<T, void, void> {
  yield* items;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

test("a chain without names says nobody's and verifies, whole or begun later", async () => {
  const store = memoryAudit(crypto);
  const actor = "aa ada@example.org";
  await store.append(anEvent({ actor, action: "login", outcome: "refused", object: "203.0.113.7" }));
  await store.append(anEvent({ actor, action: "login", outcome: "accepted", object: "lead" }));
  await store.append(anEvent({ action: "authenticate", object: "idp", details: { subject: "ada", age: 7 } }));
  const named = await collect(store.read());

  const bare = await Promise.all(named.map((record) => withoutPersonal(record, crypto)));

  const text = JSON.stringify(bare);
  for (const name of ["ada", "203.0.113.7", "idp"]) expect(text).not.toContain(name);
  expect(text).toContain("lead");
  expect(bare[0]?.event.actor).toMatch(/^aa ref:[\w-]{43}$/);
  expect(await verifyChain(crypto, bare)).toEqual(await verifyChain(crypto, named));
  expect(bare[0]?.event.actor).not.toBe(bare[1]?.event.actor); // each has its own key
  const from = { count: 1, hash: named[0]!.hash };
  expect((await verifyChain(crypto, named.slice(1), { from })).count).toBe(3);
  await expect(verifyChain(crypto, named.slice(2), { from })).rejects.toEqual(brokenAt(2));
  const lines = named.map((record) => auditRecordToJson(record));
  expect(lines.map((line, index) => auditRecordFromJson(line, index + 1))).toEqual(named);
});
