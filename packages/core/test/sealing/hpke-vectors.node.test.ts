// In Node only: the published vector is accumulated by SHAKE128, which WebCrypto lacks.
import { createHash, createHmac } from "node:crypto";
import { hostWebCrypto, nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../../src/bytes/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import { hpkeSuite, recipientKey, recipientPublicKey } from "../../src/sealing/hpke.ts";
import vectors from "../vectors/hpke-rfc9180.json" with { type: "json" };

const { encapsulation, suite } = vectors;

const hmac = (key: Bytes, ...data: Bytes[]): Bytes =>
  Uint8Array.from(
    createHmac("sha256", key)
      .update(concatBytes(...data))
      .digest(),
  );

/** DeriveKeyPair of DHKEM(X25519) (RFC 9180, section 7.1.3) over node:crypto's HMAC alone. */
function derivedPrivateKey(ikm: Bytes): Bytes {
  const id = concatBytes(utf8("HPKE-v1"), utf8("KEM"), Uint8Array.of(0, 32));
  const prk = hmac(new Uint8Array(32), id, utf8("dkp_prk"), ikm);
  return hmac(prk, Uint8Array.of(0, 32), id, utf8("sk"), Uint8Array.of(1));
}

/** The provider, but for the ephemeral key, which is that of the vector. */
async function withEphemeral(crypto: CryptoProvider, sk: Bytes, pk: Bytes): Promise<CryptoProvider> {
  const key = await crypto.importAgreementKey(sk, pk);
  return { ...crypto, generateAgreementKey: () => key };
}

/** The first bytes of an unending stream of SHAKE128, or the digest of what was collected. */
const shake = (data: Uint8Array, length: number): Bytes =>
  Uint8Array.from(createHash("shake128", { outputLength: length }).update(data).digest());

const providers = [
  ["WebCrypto", webCrypto()],
  ["node:crypto", nodeCrypto()],
  ["@peculiar/webcrypto", await hostWebCrypto({ host: {} })],
] as const;

for (const [name, crypto] of providers) {
  test(`${name}: encapsulates as RFC 9180, A.1.1`, async () => {
    const fixed = await withEphemeral(crypto, fromHex(encapsulation.skEm), fromHex(encapsulation.pkEm));
    const own = await crypto.importAgreementKey(fromHex(encapsulation.skRm), fromHex(encapsulation.pkRm));
    const { kem } = hpkeSuite(fixed);

    const sent = await kem.encap({ recipientPublicKey: recipientPublicKey(fromHex(encapsulation.pkRm)) });
    const received = await kem.decap({ recipientKey: recipientKey(own), enc: fromHex(encapsulation.enc) });

    expect(toHex(new Uint8Array(sent.enc))).toBe(encapsulation.enc);
    expect(toHex(new Uint8Array(sent.sharedSecret))).toBe(encapsulation.shared_secret);
    expect(toHex(new Uint8Array(received))).toBe(encapsulation.shared_secret);
  });

  test(`${name}: seals 1 000 messages as the vector of X25519, HKDF-SHA256, AES-256-GCM, and opens them`, async () => {
    const fixed = await withEphemeral(crypto, derivedPrivateKey(fromHex(suite.ikmE)), fromHex(suite.enc));
    const own = await crypto.importAgreementKey(fromHex(suite.skRm), fromHex(suite.pkRm));
    const info = fromHex(suite.info);
    const hpke = hpkeSuite(fixed);
    const sender = await hpke.createSenderContext({
      recipientPublicKey: recipientPublicKey(fromHex(suite.pkRm)),
      info,
    });
    const recipient = await hpke.createRecipientContext({
      recipientKey: recipientKey(own),
      enc: sender.enc,
      info,
    });
    const random = shake(new Uint8Array(0), 600_000);
    let at = 0;
    const draw = (): Bytes => {
      const length = random[at] ?? 0;
      at += 1 + length;
      return random.slice(at - length, at);
    };
    const sealed: Bytes[] = [];

    for (let index = 0; index < 1000; index++) {
      const [aad, plaintext] = [draw(), draw()];
      const ciphertext = new Uint8Array(await sender.seal(plaintext, aad));
      sealed.push(ciphertext);
      const opened = new Uint8Array(await recipient.open(ciphertext, aad));
      if (toHex(opened) !== toHex(plaintext)) throw new Error(`message ${index} did not open`);
    }

    expect(at).toBeLessThan(random.length);
    expect(toHex(new Uint8Array(sender.enc))).toBe(suite.enc);
    expect(toHex(shake(concatBytes(...sealed), 16))).toBe(suite.encryptions_accumulated);
  });
}
