import { expect, test } from "vitest";
import { type Bytes, toHex } from "../../src/bytes/index.ts";
import {
  ChainDirectory,
  identifyObject,
  memoryReplayStore,
  type ObjectContent,
  type ObjectRule,
  ObjectVerifier,
  sealObject,
} from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { TEST_EPOCH_MS, testProject, virtualClock } from "../../src/testing/index.ts";
import { countingCrypto } from "../stream/counting-crypto.ts";

const crypto = webCrypto();
const project = await testProject();
const lead = project.users.get("lead@example.org")!;
const payload = Uint8Array.of(1);
const rules = new Map<number, ObjectRule>([
  [1, { signers: ["lead"], maximumLifetimeMs: 600_000, counted: false }],
  [2, { signers: ["lead"], maximumLifetimeMs: 600_000, counted: true }],
]);

function seal(change: Partial<ObjectContent> = {}): Promise<Bytes> {
  const content = { objectType: 1, audience: "all", issuedAt: TEST_EPOCH_MS, lifetimeMs: 600_000, payload };
  return sealObject({ ...content, ...change }, { identity: lead, crypto });
}

async function aVerifier() {
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  const chains = new ChainDirectory({ project: "test", root: project.root.certificate.der }, { crypto });
  const replay = memoryReplayStore({ clock });
  await chains.add(lead.participant.chain, TEST_EPOCH_MS);
  const verifier = new ObjectVerifier({ project: "test", self: "site-1", rules }, { crypto, chains, replay });
  return { verifier, replay, clock, chains };
}

test("an object is signed once and read by everybody: one hash, one signature", async () => {
  const counting = countingCrypto(crypto);
  const content = { objectType: 1, audience: "all", issuedAt: TEST_EPOCH_MS, lifetimeMs: 1000, payload };

  const bytes = await sealObject(content, { identity: lead, crypto: counting.crypto });

  expect(counting.counts).toEqual({ sha256: 1, sign: 1, randomBytes: 1 });
  for (let reader = 0; reader < 3; reader++) {
    const { verifier } = await aVerifier();
    const object = await verifier.open(bytes, TEST_EPOCH_MS);
    expect(object).toMatchObject({ objectType: 1, audience: "all", signer: { name: "lead@example.org" } });
    expect(object?.payload).toEqual(payload);
  }
});

test("its id and signer can be told without verifying it", async () => {
  const objectId = new Uint8Array(16).fill(9);

  const told = identifyObject(await seal({ objectId }));

  expect(told.objectId).toEqual(objectId);
  expect(toHex(told.signer)).toBe(toHex(lead.participant.leafDigest));
});

test("reading it commits nothing; after the commit it has no further effect", async () => {
  const { verifier } = await aVerifier();
  const bytes = await seal();

  const first = await verifier.open(bytes, TEST_EPOCH_MS);
  const second = await verifier.open(bytes, TEST_EPOCH_MS);
  await verifier.commit(second!);

  expect(first).toBeDefined();
  expect(await verifier.open(bytes, TEST_EPOCH_MS)).toBeUndefined();
});

test("another object under an id that was handled is a replay", async () => {
  const { verifier } = await aVerifier();
  const objectId = new Uint8Array(16);
  await verifier.commit((await verifier.open(await seal({ objectId }), TEST_EPOCH_MS))!);

  const other = await seal({ objectId, payload: Uint8Array.of(2) });

  await expect(verifier.open(other, TEST_EPOCH_MS)).rejects.toMatchObject({ code: "ERR_ENVELOPE_REPLAYED" });
});

test("counters of a signer only grow, and each kind has its own", async () => {
  const { verifier } = await aVerifier();
  const counted = async (counter: number | undefined) =>
    verifier.open(
      await seal(counter === undefined ? { objectType: 2 } : { objectType: 2, counter }),
      TEST_EPOCH_MS,
    );
  const stale = { code: "ERR_ENVELOPE_STALE" };

  await verifier.commit((await counted(5))!);

  await expect(counted(5)).rejects.toMatchObject(stale);
  await expect(counted(4)).rejects.toMatchObject(stale);
  await expect(counted(undefined)).rejects.toMatchObject(stale);
  expect(await counted(6)).toMatchObject({ counter: 6 });
});

test("a life longer than its kind may have is refused", async () => {
  const { verifier } = await aVerifier();

  await expect(verifier.open(await seal({ lifetimeMs: 600_001 }), TEST_EPOCH_MS)).rejects.toMatchObject({
    code: "ERR_ENVELOPE_STALE",
  });
  await expect(seal({ lifetimeMs: 31 * 86_400_000 })).rejects.toThrow(RangeError);
  await expect(seal({ lifetimeMs: 0 })).rejects.toThrow(RangeError);
});

test("an object for this very participant is accepted, one for another is not", async () => {
  const { verifier } = await aVerifier();

  expect(await verifier.open(await seal({ audience: "site-1" }), TEST_EPOCH_MS)).toBeDefined();
  await expect(verifier.open(await seal({ audience: "site-2" }), TEST_EPOCH_MS)).rejects.toMatchObject({
    code: "ERR_ENVELOPE_WRONG_RECIPIENT",
  });
});

test("an object of another project is for nobody here, whoever its audience is", async () => {
  const { verifier } = await aVerifier();
  const participant = { ...lead.participant, project: "other" };
  const content = { objectType: 1, audience: "all", issuedAt: TEST_EPOCH_MS, lifetimeMs: 600_000, payload };

  const foreign = await sealObject(content, { identity: { ...lead, participant }, crypto });

  await expect(verifier.open(foreign, TEST_EPOCH_MS)).rejects.toMatchObject({
    code: "ERR_ENVELOPE_WRONG_RECIPIENT",
  });
});

test("an object counts from a minute before it was issued until it expires", async () => {
  const { verifier } = await aVerifier();
  const bytes = await seal({ lifetimeMs: 1000 });
  const stale = { code: "ERR_ENVELOPE_STALE" };

  await expect(verifier.open(bytes, TEST_EPOCH_MS - 60_001)).rejects.toMatchObject(stale);
  await expect(verifier.open(bytes, TEST_EPOCH_MS + 1000)).rejects.toMatchObject(stale);
  expect(await verifier.open(bytes, TEST_EPOCH_MS - 60_000)).toBeDefined();
  expect(await verifier.open(bytes, TEST_EPOCH_MS + 999)).toBeDefined();
});

test("a signer whose certificate has expired meanwhile no longer counts", async () => {
  const { verifier } = await aVerifier();
  const later = TEST_EPOCH_MS + 400 * 86_400_000;

  await expect(verifier.open(await seal({ issuedAt: later }), later)).rejects.toMatchObject({
    code: "ERR_CERTIFICATE_EXPIRED",
  });
});

test("what was handled is remembered until it expires, and then not kept", async () => {
  const { verifier, replay, clock } = await aVerifier();
  const object = (await verifier.open(await seal(), TEST_EPOCH_MS))!;
  await verifier.commit(object);
  await clock.advance(3_600_000);
  const later = (await verifier.open(await seal({ issuedAt: clock.now() }), clock.now()))!;

  await verifier.commit(later);

  expect(await replay.digestOf(object.objectId)).toBeUndefined();
  expect(await replay.digestOf(later.objectId)).toBeDefined();
});

test("what is no OBJECT frame is refused", async () => {
  const { verifier } = await aVerifier();
  const { writeError } = await import("../../src/envelope/index.ts");
  const bytes = writeError({ code: "ERR_BUSY", detail: "" });

  await expect(verifier.open(bytes, TEST_EPOCH_MS)).rejects.toMatchObject({ code: "ERR_DECODE_REFUSED" });
});
