import { expect, test } from "vitest";
import { type Bytes, fromHex } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject } from "../../src/envelope/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { KEY_PACKAGE_TYPE, KeyRing, signKeyPackage } from "../../src/sealing/index.ts";
import { TEST_EPOCH_MS, testProject } from "../../src/testing/index.ts";
import { aParty, aProject, parties } from "./parties.ts";

const crypto = webCrypto();
const project = await aProject();
const DAY_MS = 86_400_000;

/** A package with any payload and times, as a hostile owner may sign it. */
function anObject(
  identity: Identity,
  payload: unknown,
  change: { counter?: number; lifetimeMs?: number } = {},
): Promise<Bytes> {
  const { counter = 1, lifetimeMs = DAY_MS } = change;
  const object = {
    objectType: KEY_PACKAGE_TYPE,
    audience: "all",
    issuedAt: TEST_EPOCH_MS,
    lifetimeMs,
    counter,
  };
  return sealObject({ ...object, payload: encode(payload, builtInRegistry()) }, { identity, crypto });
}

async function aReader() {
  const { bob, alice, clock } = await parties(project);
  return { reader: await aParty(bob.identity, project, { clock }), alice, clock };
}

test("a package leads to its owner, by certificate, and is found by the owner's name", async () => {
  const { reader, alice } = await aReader();

  await reader.packages.accept(await alice.ring.publish());

  const found = await reader.packages.require("alice");
  expect(found.owner).toMatchObject({ name: "alice", role: "site" });
  expect(alice.ring.find(found.packageId)).toMatchObject({ publicKey: found.publicKey });
});

test("a later package of the same owner replaces an earlier; what was sealed with the earlier still opens", async () => {
  const { reader, alice, clock } = await aReader();
  const early = await alice.ring.publish();
  await clock.advance(1000);
  await reader.packages.accept(early);
  const before = await reader.packages.require("alice");

  await reader.packages.accept(await alice.ring.publish());

  const after = await reader.packages.require("alice");
  expect(after.packageId).not.toEqual(before.packageId);
  expect(alice.ring.find(before.packageId)).toBeDefined();
});

test("an earlier package after a later one is refused: counters only grow", async () => {
  const { reader, alice } = await aReader();
  const [early, late] = [await alice.ring.publish(), await alice.ring.publish()];
  await reader.packages.accept(late);

  await expect(reader.packages.accept(early)).rejects.toMatchObject({ code: "ERR_ENVELOPE_STALE" });
});

test("its number is the one in the list of objects", () => {
  expect(KEY_PACKAGE_TYPE).toBe(OBJECT_TYPES.keyPackage);
});

test("the same package twice changes nothing", async () => {
  const { reader, alice } = await aReader();
  const object = await alice.ring.publish();
  await reader.packages.accept(object);
  const before = await reader.packages.require("alice");

  await reader.packages.accept(object);

  expect(await reader.packages.require("alice")).toBe(before);
});

test("a package lives at most seven days", async () => {
  const { reader, alice } = await aReader();
  const payload = { kem: 0x20, publicKey: (await crypto.generateAgreementKey()).publicKey };
  const times = { counter: 1, issuedAt: TEST_EPOCH_MS, packageId: new Uint8Array(16) };

  const tooLong = await anObject(alice.identity, payload, { lifetimeMs: 7 * DAY_MS + 1 });

  await expect(reader.packages.accept(tooLong)).rejects.toMatchObject({ code: "ERR_ENVELOPE_STALE" });
  await expect(
    signKeyPackage(
      { ...payload, ...times, lifetimeMs: 7 * DAY_MS + 1 },
      { identity: alice.identity, crypto },
    ),
  ).rejects.toThrow(RangeError);
});

test("a package of another role is refused, and one of somebody else's project", async () => {
  const { reader, clock } = await aReader();
  const lead = project.users.get("lead@example.org");
  const stranger = (await testProject({ sites: ["alice"] })).sites.get("alice");
  if (lead === undefined || stranger === undefined) throw new Error("no such identity");
  const ringOf = (identity: Identity) => new KeyRing({}, { identity, crypto, clock });

  await expect(reader.packages.accept(await ringOf(lead).publish())).rejects.toMatchObject({
    code: "ERR_TYPE_UNKNOWN",
  });
  await expect(reader.packages.accept(await ringOf(stranger).publish())).rejects.toMatchObject({
    code: "ERR_ENVELOPE_UNKNOWN_SENDER",
  });
});

test("a package whose signature or key was changed on the way is refused", async () => {
  const { reader, alice } = await aReader();
  const object = await alice.ring.publish();
  const forgedKey = Uint8Array.from(object);
  forgedKey[forgedKey.length - 3] = (forgedKey[forgedKey.length - 3] ?? 0) ^ 1;

  await expect(reader.packages.accept(forgedKey)).rejects.toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
  await expect(reader.packages.require("alice")).rejects.toMatchObject({ code: "ERR_KEY_PACKAGE_MISSING" });
});

test("a payload that is no key of X25519 is refused: other algorithm, other length, more fields, low order", async () => {
  const { reader, alice } = await aReader();
  const { publicKey } = await crypto.generateAgreementKey();
  const orderEight = fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
  const payloads = [
    { kem: 0x10, publicKey },
    { kem: 0x20, publicKey: publicKey.slice(1) },
    { kem: 0x20, publicKey, more: 1 },
    { kem: 0x20, publicKey: new Uint8Array(32) },
    { kem: 0x20, publicKey: orderEight },
    [publicKey],
  ];

  for (const payload of payloads) {
    await expect(reader.packages.accept(await anObject(alice.identity, payload))).rejects.toMatchObject({
      code: "ERR_KEY_PACKAGE_REFUSED",
    });
  }
  await expect(reader.packages.require("alice")).rejects.toMatchObject({ code: "ERR_KEY_PACKAGE_MISSING" });
});

test("nothing is sealed for somebody whose certificate has expired since", async () => {
  const { reader, alice, clock } = await aReader();
  const enrolled = await project.enrol("page-1");
  await reader.chains.add(enrolled.participant.chain, TEST_EPOCH_MS);
  await clock.advance(6 * DAY_MS);
  await reader.packages.accept(await new KeyRing({}, { identity: enrolled, crypto, clock }).publish());
  await reader.packages.require("page-1");

  await clock.advance(2 * DAY_MS);

  await expect(reader.packages.require("page-1")).rejects.toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED" });
  expect(alice.identity.participant.name).toBe("alice");
});
