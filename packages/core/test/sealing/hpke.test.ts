import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { expect, test } from "vitest";
import { fromHex, toBytes, utf8 } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { hpkeSuite } from "../../src/sealing/hpke.ts";
import { hpkeOpen, hpkeSeal } from "../../src/sealing/index.ts";

const crypto = webCrypto();
const binding = { info: utf8("what it is for"), aad: utf8("what goes with it") };
const plaintext = crypto.randomBytes(32);

test("what is sealed for a key opens with it and with no other, and only bound as it was", async () => {
  const [key, other] = [await crypto.generateAgreementKey(), await crypto.generateAgreementKey()];

  const sealed = await hpkeSeal(key.publicKey, plaintext, binding, crypto);

  const open = (change: Partial<typeof binding & typeof sealed>, with_ = key) =>
    hpkeOpen(with_, { ...sealed, ...change }, { ...binding, ...change }, crypto);
  expect(await open({})).toEqual(plaintext);
  expect(await open({}, other)).toBeUndefined();
  expect(await open({ info: utf8("another purpose") })).toBeUndefined();
  expect(await open({ aad: utf8("else") })).toBeUndefined();
  expect(await open({ ciphertext: sealed.ciphertext.slice(1) })).toBeUndefined();
  expect(await open({ ciphertext: new Uint8Array(0) })).toBeUndefined();
  expect(await open({ encapsulated: sealed.encapsulated.slice(1) })).toBeUndefined();
  expect(await open({ encapsulated: new Uint8Array(32) })).toBeUndefined();
  expect(await open({ encapsulated: other.publicKey })).toBeUndefined();
});

test("each sealing has a key of its own", async () => {
  const { publicKey } = await crypto.generateAgreementKey();

  const one = await hpkeSeal(publicKey, plaintext, binding, crypto);
  const two = await hpkeSeal(publicKey, plaintext, binding, crypto);

  expect(one.encapsulated).not.toEqual(two.encapsulated);
  expect(one.ciphertext).not.toEqual(two.ciphertext);
});

test("nothing is sealed for a point of low order or a key of another length", async () => {
  const orderEight = fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");

  for (const publicKey of [new Uint8Array(32), orderEight, new Uint8Array(31)]) {
    await expect(hpkeSeal(publicKey, plaintext, binding, crypto)).rejects.toThrow(RangeError);
  }
});

test("takes no key that the library has made", async () => {
  const { publicKey, privateKey } = await new DhkemX25519HkdfSha256().generateKeyPair();
  const { kem } = hpkeSuite(crypto);

  await expect(kem.encap({ recipientPublicKey: publicKey })).rejects.toThrow(TypeError);
  await expect(kem.decap({ recipientKey: privateKey, enc: new Uint8Array(32) })).rejects.toThrow(TypeError);
});

test("agrees with the library's own suite over WebCrypto, both ways", async () => {
  const suite = new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
  const theirs = await suite.kem.generateKeyPair();
  const theirPublicKey = toBytes(await suite.kem.serializePublicKey(theirs.publicKey));
  const ours = await crypto.generateAgreementKey();
  const recipientPublicKey = await suite.kem.deserializePublicKey(ours.publicKey);

  const toThem = await hpkeSeal(theirPublicKey, plaintext, binding, crypto);
  const params = { recipientKey: theirs, enc: toThem.encapsulated, info: binding.info };
  const toUs = await suite.seal({ recipientPublicKey, info: binding.info }, plaintext, binding.aad);

  expect(toBytes(await suite.open(params, toThem.ciphertext, binding.aad))).toEqual(plaintext);
  const sealed = { encapsulated: toBytes(toUs.enc), ciphertext: toBytes(toUs.ct) };
  expect(await hpkeOpen(ours, sealed, binding, crypto)).toEqual(plaintext);
});
