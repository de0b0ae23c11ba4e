import { describe, expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import {
  ChainDirectory,
  MAX_OBJECT_LIFETIME_MS,
  MAX_SEEN_OBJECTS,
  type ObjectRecords,
  ObjectVerifier,
  openLastingObjects,
  sealObject,
} from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { memoryObjectRecords, TEST_EPOCH_MS, testProject, virtualClock } from "../../src/testing/index.ts";

const crypto = webCrypto();
const DAY_MS = 86_400_000;
const digest = new Uint8Array(32).fill(1);
const replayed = { code: "ERR_ENVELOPE_REPLAYED" };
const corrupt = { code: "ERR_SEEN_OBJECTS_CORRUPT" };

function idOf(number: number): Uint8Array<ArrayBuffer> {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(0, number);
  return id;
}

/** A participant whose process may end and begin again over the same records. */
function aParticipant(records: ObjectRecords = memoryObjectRecords()) {
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  const open = () => openLastingObjects({ records, clock, crypto });
  return { records, clock, open };
}

function anObject(number = 1, change: { readonly digest?: Uint8Array<ArrayBuffer> } = {}) {
  return { objectId: idOf(number), digest, expiresAt: TEST_EPOCH_MS + DAY_MS, ...change };
}

describe("an object whose effect takes a while", () => {
  test("goes on in the next process: a crash before its end does not lose it", async () => {
    const { open } = aParticipant();
    await (await open()).begin(anObject());

    const after = await open();

    await expect(after.begin(anObject())).resolves.toBeUndefined();
  });

  test("is refused once it has ended, in this process and in the next", async () => {
    const { open } = aParticipant();
    const before = await open();
    await before.begin(anObject());
    await before.end(anObject().objectId);

    await expect(before.begin(anObject())).rejects.toMatchObject(replayed);
    await expect((await open()).begin(anObject())).rejects.toMatchObject(replayed);
    await expect((await open()).begin(anObject(2))).resolves.toBeUndefined();
  });

  test("does not lend its id to another object, whether it has ended or not", async () => {
    const { open } = aParticipant();
    const other = anObject(1, { digest: new Uint8Array(32).fill(2) });
    await (await open()).begin(anObject());

    await expect((await open()).begin(other)).rejects.toMatchObject(replayed);
    await (await open()).end(other.objectId);
    await expect((await open()).begin(other)).rejects.toMatchObject(replayed);
  });

  test("that is not remembered has nothing to end", async () => {
    const { open, records } = aParticipant();

    await (await open()).end(idOf(1));

    expect(await records.list()).toEqual([]);
  });

  test("is taken by one of two processes that are offered two objects under one id at once", async () => {
    const { open } = aParticipant();
    const [left, right] = [await open(), await open()];
    const other = anObject(1, { digest: new Uint8Array(32).fill(2) });

    const outcomes = await Promise.allSettled([left.begin(anObject()), right.begin(other)]);

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("an object that was handled at once", () => {
  const handled = { ...anObject(), counted: undefined };

  test("is known by its digest in the next process", async () => {
    const { open } = aParticipant();
    await (await open()).record(handled);

    expect(await (await open()).digestOf(handled.objectId)).toEqual(digest);
    expect(await (await open()).digestOf(idOf(2))).toBeUndefined();
  });

  test("is forgotten a day after it expired, not before: a clock that is set back makes nothing acceptable", async () => {
    const { open, clock, records } = aParticipant();
    await (await open()).record(handled);
    await clock.advance(2 * DAY_MS - 1);
    await open();
    expect(await records.list()).toHaveLength(1);

    await clock.advance(1);
    await open();

    expect(await records.list()).toEqual([]);
  });
});

describe("the counter of a signer", () => {
  const signer = new Uint8Array(32).fill(7);
  const counted = (counter: number, objectType = 3) => ({
    ...anObject(counter),
    counted: { signer, objectType, counter },
  });

  test("never goes back, also in the next process, and each kind has its own", async () => {
    const { open } = aParticipant();
    const before = await open();
    await before.record(counted(5));
    await before.record(counted(4));

    const after = await open();

    expect(await after.lastCounter(signer, 3)).toBe(5);
    expect(await after.lastCounter(signer, 4)).toBeUndefined();
    await after.record(counted(6));
    expect(await (await open()).lastCounter(signer, 3)).toBe(6);
  });

  test("is raised before the object is recorded: a crash between the two lets nothing older in", async () => {
    const { open, records } = aParticipant();
    const { create } = records;
    const written: string[] = [];
    const objects = await open();
    records.create = (name, value) => {
      written.push(name);
      return written.length > 1 ? Promise.reject(new Error("the process dies here")) : create(name, value);
    };
    await expect(objects.record(counted(5))).rejects.toThrow("dies");
    records.create = create;

    const after = await open();

    expect(await after.lastCounter(signer, 3)).toBe(5);
    expect(written.map((name) => name.split("-")[0])).toEqual(["counter", "object"]);
  });

  test("is the highest of what two processes recorded at once", async () => {
    const { open } = aParticipant();
    const processes = await Promise.all([open(), open(), open()]);

    await Promise.all(processes.map((one, index) => one.record(counted(index + 1))));

    expect(await (await open()).lastCounter(signer, 3)).toBe(3);
  });

  test("is kept until everything that it refuses has expired", async () => {
    const { open, clock } = aParticipant();
    await (await open()).record(counted(5));
    await clock.advance(MAX_OBJECT_LIFETIME_MS + DAY_MS - 1);

    expect(await (await open()).lastCounter(signer, 3)).toBe(5);
  });
});

test("a verifier over it refuses a counter that goes back after a restart, and drops what was handled", async () => {
  const project = await testProject();
  const lead = project.users.get("lead@example.org");
  if (lead === undefined) throw new Error("the project has a lead");
  const { open } = aParticipant();
  const rules = new Map([[9, { signers: ["lead"], maximumLifetimeMs: DAY_MS, counted: true }] as const]);
  const process = async () => {
    const chains = new ChainDirectory({ project: "test", root: project.root.certificate.der }, { crypto });
    await chains.add(lead.participant.chain, TEST_EPOCH_MS);
    const modules = { crypto, chains, replay: await open() };
    return new ObjectVerifier({ project: "test", self: "site-1", rules }, modules);
  };
  const seal = (counter: number) => {
    const times = { issuedAt: TEST_EPOCH_MS, lifetimeMs: DAY_MS };
    const content = { objectType: 9, audience: "all", counter, payload: Uint8Array.of(1), ...times };
    return sealObject(content, { identity: lead, crypto });
  };
  const [older, newer] = [await seal(1), await seal(2)];
  const before = await process();
  const object = await before.open(newer, TEST_EPOCH_MS);
  if (object === undefined) throw new Error("it is new");
  await before.commit(object);

  const after = await process();

  await expect(after.open(older, TEST_EPOCH_MS)).rejects.toMatchObject({ code: "ERR_ENVELOPE_STALE" });
  expect(await after.open(newer, TEST_EPOCH_MS)).toBeUndefined();
  expect(await after.open(await seal(3), TEST_EPOCH_MS)).toMatchObject({ counter: 3 });
});

describe("records that cannot be relied on", () => {
  test("admit nothing when any byte of one was changed, or it was cut, or it stands under another name", async () => {
    const { records, open } = aParticipant();
    await (await open()).begin(anObject());
    const [record] = await records.list();
    if (record === undefined) throw new Error("it was recorded");
    const { name, value } = record;
    const put = async (bytes: Uint8Array<ArrayBuffer>, under = name) => {
      for (const { name: old } of await records.list()) await records.delete(old);
      await records.create(under, bytes);
    };

    for (let index = 0; index < value.length; index++) {
      await put(value.map((byte, at) => (at === index ? byte ^ 1 : byte)));
      await expect(open()).rejects.toMatchObject(corrupt);
    }
    await put(value.slice(0, -1));
    await expect(open()).rejects.toMatchObject(corrupt);
    await put(new Uint8Array(0));
    await expect(open()).rejects.toMatchObject(corrupt);
    await put(value, `object-${toHex(idOf(2))}`);
    await expect(open()).rejects.toMatchObject(corrupt);
    await put(value, `counter-${toHex(digest)}-3`);
    await expect(open()).rejects.toMatchObject(corrupt);
    await put(value);
    await expect(open()).resolves.toBeDefined();
  });

  test("admit nothing when one is damaged while the process runs", async () => {
    const { records, open } = aParticipant();
    const objects = await open();
    await objects.begin(anObject());
    const name = (await records.list())[0]?.name ?? "";
    await records.delete(name);
    await records.create(name, Uint8Array.of(1));

    await expect(objects.begin(anObject())).rejects.toMatchObject(corrupt);
    await expect(objects.digestOf(anObject().objectId)).rejects.toMatchObject(corrupt);
  });

  test("take no more when they are full, until some have expired; what has begun can still end", async () => {
    const { open, clock, records } = aParticipant();
    const objects = await open();
    for (let number = 1; number <= MAX_SEEN_OBJECTS; number++) await objects.begin(anObject(number));
    const next = { ...anObject(MAX_SEEN_OBJECTS + 1), expiresAt: TEST_EPOCH_MS + 9 * DAY_MS };
    const full = { code: "ERR_SEEN_OBJECTS_FULL" };

    const { list } = records;
    let listed = 0;
    records.list = () => {
      listed += 1;
      return list();
    };
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(objects.begin(next)).rejects.toMatchObject(full);
    }
    expect(listed).toBe(0); // who offers does not choose when everything is read again
    await expect((await open()).begin(next)).rejects.toMatchObject(full);
    await objects.end(idOf(1));
    await expect(objects.begin(anObject(1))).rejects.toMatchObject(replayed);
    await clock.advance(2 * DAY_MS);
    await expect(objects.begin(next)).resolves.toBeUndefined();
  });
});
