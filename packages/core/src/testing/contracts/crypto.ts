import { describe, expect, test } from "vitest";
import { type Bytes, equalBytes, fromHex, toHex, utf8 } from "../../bytes/index.ts";
import type { CryptoProvider } from "../../platform/index.ts";
import { signingContract } from "./crypto-signing.ts";

/** Every {@link CryptoProvider} gives the same answers and the same refusals. Vectors name their source. */
export function cryptoContract(name: string, create: () => CryptoProvider): void {
  describe(`CryptoProvider contract: ${name}`, () => {
    hashing(create);
    derivation(create);
    gcm(create);
    keyEncryption(create);
    signingContract(create);
    agreement(create);
  });
}

function hashing(create: () => CryptoProvider): void {
  test("yields random bytes of the wanted length, beyond one quota of WebCrypto too", () => {
    const bytes = create().randomBytes(100_000);

    expect(bytes).toHaveLength(100_000);
    expect(bytes.subarray(65_536).some((byte) => byte !== 0)).toBe(true);
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
  });

  test("hashes by SHA-256, SHA-384 and SHA-512 as FIPS 180-4 says", async () => {
    const crypto = create();

    expect(toHex(await crypto.sha256(utf8("abc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    expect(toHex(await crypto.sha384(utf8("abc")))).toBe(
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    );
    expect(toHex(await crypto.sha512(utf8("abc")))).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
  });

  test("hashes a view, not the buffer under it", async () => {
    const crypto = create();
    const view = utf8("xabcx").subarray(1, 4);

    expect(await crypto.sha256(view)).toEqual(await crypto.sha256(utf8("abc")));
  });

  test("computes HMAC-SHA256 as RFC 4231, case 2, and under an empty key", async () => {
    const crypto = create();

    expect(toHex(await crypto.hmacSha256(utf8("Jefe"), utf8("what do ya want for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    expect(toHex(await crypto.hmacSha256(new Uint8Array(0), new Uint8Array(0)))).toBe(
      "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
    );
  });
}

function derivation(create: () => CryptoProvider): void {
  test("derives by PBKDF2-HMAC-SHA256 as RFC 7914, section 11", async () => {
    const derived = await create().pbkdf2Sha256(utf8("passwd"), utf8("salt"), 1, 64);

    expect(toHex(derived)).toBe(
      "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" +
        "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
    );
  });
}

function gcm(create: () => CryptoProvider): void {
  const key = fromHex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const iv = fromHex("cafebabefacedbaddecaf888");
  const aad = fromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const plaintext = fromHex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  );
  const sealed = fromHex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  );

  test("seals by AES-256-GCM as McGrew and Viega's case 16, and opens it", async () => {
    const crypto = create();
    const secret = await crypto.importAesGcmKey(key);

    expect(toHex(await crypto.aesGcmSeal(secret, iv, plaintext, aad))).toBe(toHex(sealed));
    expect(await crypto.aesGcmOpen(secret, iv, sealed, aad)).toEqual(plaintext);
  });

  test("seals and opens an empty plaintext and one of a whole chunk", async () => {
    const crypto = create();
    const secret = await crypto.importAesGcmKey(key);

    for (const content of [new Uint8Array(0), new Uint8Array(262_144).fill(7)]) {
      const ciphertext = await crypto.aesGcmSeal(secret, iv, content, aad);
      expect(ciphertext).toHaveLength(content.length + 16);
      const opened = await crypto.aesGcmOpen(secret, iv, ciphertext, aad);
      expect(opened !== undefined && equalBytes(opened, content)).toBe(true);
    }
  });

  test("answers undefined for an altered ciphertext, tag, iv or additional data, and for too few bytes", async () => {
    const crypto = create();
    const secret = await crypto.importAesGcmKey(key);
    const altered = (bytes: Uint8Array, at: number) =>
      Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));

    expect(await crypto.aesGcmOpen(secret, iv, altered(sealed, 0), aad)).toBeUndefined();
    expect(await crypto.aesGcmOpen(secret, iv, altered(sealed, sealed.length - 1), aad)).toBeUndefined();
    expect(await crypto.aesGcmOpen(secret, altered(iv, 3), sealed, aad)).toBeUndefined();
    expect(await crypto.aesGcmOpen(secret, iv, sealed, altered(aad, 0))).toBeUndefined();
    expect(await crypto.aesGcmOpen(secret, iv, sealed.slice(0, 15), aad)).toBeUndefined();
  });

  test("where it can, seals parts into given memory and opens with the tag apart, with the same result", async () => {
    const crypto = create();
    const secret = await crypto.importAesGcmKey(key);
    const parts = [plaintext.slice(0, 3), new Uint8Array(0), plaintext.slice(3)];
    const whole = new Uint8Array(sealed.length);
    const target = { ciphertext: whole.subarray(0, plaintext.length), tag: whole.subarray(plaintext.length) };
    if (crypto.aesGcmSealInto === undefined || crypto.aesGcmOpenApart === undefined) {
      expect([crypto.aesGcmSealInto, crypto.aesGcmOpenApart]).toEqual([undefined, undefined]);
      return;
    }

    await crypto.aesGcmSealInto(secret, { iv, aad, parts, ...target });

    expect(toHex(whole)).toBe(toHex(sealed));
    expect(await crypto.aesGcmOpenApart(secret, { iv, aad, ...target })).toEqual(plaintext);
    const own = { ciphertext: target.ciphertext.slice(), tag: target.tag };
    const inPlace = await crypto.aesGcmOpenApart(secret, { iv, aad, ...own, inPlace: true });
    expect(inPlace).toEqual(plaintext);
    expect(inPlace?.buffer).toBe(own.ciphertext.buffer);
    const shortTag = { ...target, tag: target.tag.slice(0, 12) };
    expect(await crypto.aesGcmOpenApart(secret, { iv, aad, ...shortTag })).toBeUndefined();
    const otherTag = { ...target, tag: new Uint8Array(16) };
    expect(await crypto.aesGcmOpenApart(secret, { iv, aad, ...otherTag })).toBeUndefined();
    const altered = { ciphertext: target.ciphertext.slice(), tag: new Uint8Array(16), inPlace: true };
    expect(await crypto.aesGcmOpenApart(secret, { iv, aad, ...altered })).toBeUndefined();
    const tooSmall = { ...target, ciphertext: target.ciphertext.slice(1) };
    await expect(async () =>
      crypto.aesGcmSealInto?.(secret, { iv, aad, parts, ...tooSmall }),
    ).rejects.toThrow(RangeError);
  });

  test("where it can, forgets a key, which then seals and opens nothing more", async () => {
    const crypto = create();
    const [secret, other] = [await crypto.importAesGcmKey(key), await crypto.importAesGcmKey(key)];
    if (crypto.forgetAesGcmKey === undefined) return;

    crypto.forgetAesGcmKey(secret);
    crypto.forgetAesGcmKey(secret);

    await expect(async () => crypto.aesGcmSeal(secret, iv, plaintext, aad)).rejects.toThrow(TypeError);
    await expect(async () => crypto.aesGcmOpen(secret, iv, sealed, aad)).rejects.toThrow(TypeError);
    expect(await crypto.aesGcmOpen(other, iv, sealed, aad)).toEqual(plaintext);
  });

  test("keeps its own copy of an AES key", async () => {
    const crypto = create();
    const raw = key.slice();
    const secret = await crypto.importAesGcmKey(raw);

    raw.fill(0);

    expect(toHex(await crypto.aesGcmSeal(secret, iv, plaintext, aad))).toBe(toHex(sealed));
  });

  test("takes only AES keys of 32 bytes", async () => {
    const crypto = create();

    await expect(async () => crypto.importAesGcmKey(new Uint8Array(16))).rejects.toThrow(RangeError);
  });
}

function keyEncryption(create: () => CryptoProvider): void {
  test("encrypts by AES-256-CBC as NIST SP 800-38A, F.2.5, with a block of padding", async () => {
    const crypto = create();
    const key = fromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    const iv = fromHex("000102030405060708090a0b0c0d0e0f");
    const plaintext = fromHex("6bc1bee22e409f96e93d7e117393172a");

    const sealed = await crypto.aesCbcSeal(key, iv, plaintext);

    expect(sealed).toHaveLength(32);
    expect(toHex(sealed.slice(0, 16))).toBe("f58c4c04d6e5f1ba779eabfb5f7bfbd6");
    expect(await crypto.aesCbcOpen(key, iv, sealed)).toEqual(plaintext);
    expect(await crypto.aesCbcOpen(key, iv, sealed.slice(0, 31))).toBeUndefined();
    expect(await crypto.aesCbcOpen(key, iv, new Uint8Array(16))).toBeUndefined();
  });

  test("wraps a key as RFC 3394, section 4.6, and refuses a wrapping that was altered", async () => {
    const crypto = create();
    const wrapping = fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    const key = fromHex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");

    const wrapped = await crypto.aesKeyWrap(wrapping, key);

    expect(toHex(wrapped)).toBe(
      "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    );
    expect(await crypto.aesKeyUnwrap(wrapping, wrapped)).toEqual(key);
    wrapped[39] = (wrapped[39] ?? 0) ^ 1;
    expect(await crypto.aesKeyUnwrap(wrapping, wrapped)).toBeUndefined();
    expect(await crypto.aesKeyUnwrap(wrapping, wrapped.slice(0, 32))).toBeUndefined();
  });
}

function agreement(create: () => CryptoProvider): void {
  test("agrees by X25519 as RFC 7748, section 6.1", async () => {
    const crypto = create();
    const [alicePrivate, alicePublic, bobPublic, secret] = [
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    ].map(fromHex) as [Bytes, Bytes, Bytes, Bytes];

    const alice = await crypto.importAgreementKey(alicePrivate, alicePublic);

    expect(alice.publicKey).toEqual(alicePublic);
    expect(await crypto.agree(alice, bobPublic)).toEqual(secret);
  });

  test("two fresh keys agree on one secret of 32 bytes", async () => {
    const crypto = create();
    const [one, other] = [await crypto.generateAgreementKey(), await crypto.generateAgreementKey()];

    const secret = await crypto.agree(one, other.publicKey);

    expect(secret).toHaveLength(32);
    expect(secret).toEqual(await crypto.agree(other, one.publicKey));
  });

  test("answers undefined for a peer key of low order or wrong length", async () => {
    const crypto = create();
    const key = await crypto.generateAgreementKey();
    const orderEight = fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");

    expect(await crypto.agree(key, new Uint8Array(32))).toBeUndefined();
    expect(await crypto.agree(key, orderEight)).toBeUndefined();
    expect(await crypto.agree(key, new Uint8Array(31))).toBeUndefined();
  });
}
