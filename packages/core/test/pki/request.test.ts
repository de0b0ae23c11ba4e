import { type Bytes, concatBytes, fromHex } from "@photinus/core/bytes";
import { createCertificateRequest, openCertificateRequest } from "@photinus/core/pki";
import { type SigningKey, webCrypto } from "@photinus/core/platform";
import { describe, expect, test } from "vitest";
import { derChildren } from "../../src/pki/der-reader.ts";
import { bitString, integer, NULL, objectIdentifier, sequence } from "../../src/pki/der-writer.ts";
import { toCertificateForm } from "../../src/pki/ecdsa-form.ts";
import { OID } from "../../src/pki/object-identifiers.ts";

const crypto = webCrypto();

describe("a certificate request", () => {
  test.each([1, 2, 3] as const)(
    "by a key of algorithm %i proves its key, which need not be extractable",
    async (algorithm) => {
      const key = await crypto.generateSigningKey(algorithm, { extractable: false, modulusLength: 2048 });

      const opened = await openCertificateRequest(
        await createCertificateRequest({ commonName: "guest" }, key, { crypto }),
        { crypto },
      );

      expect(opened.publicKey.spki).toEqual(key.publicKey);
      expect(opened).toMatchObject({ algorithm, subject: { commonName: "guest" } });
    },
  );

  test("is refused when any one byte of it is altered", async () => {
    const request = await createCertificateRequest(
      { commonName: "guest" },
      await crypto.generateSigningKey(1),
      { crypto },
    );
    for (let at = 0; at < request.length; at++) {
      const altered = request.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      await expect(openCertificateRequest(altered, { crypto }), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(
          /^ERR_(REQUEST_MALFORMED|CERTIFICATE_(SIGNATURE|UNSUPPORTED))$/,
        ) as string,
      });
    }
  });

  test("is refused with bytes after it or cut off", async () => {
    const request = await createCertificateRequest(
      { commonName: "guest" },
      await crypto.generateSigningKey(1),
      { crypto },
    );
    const malformed = { code: "ERR_REQUEST_MALFORMED" };

    await expect(
      openCertificateRequest(concatBytes(request, Uint8Array.of(0)), { crypto }),
    ).rejects.toMatchObject(malformed);
    await expect(openCertificateRequest(request.slice(0, -1), { crypto })).rejects.toMatchObject(malformed);
    await expect(openCertificateRequest(new Uint8Array(0), { crypto })).rejects.toMatchObject(malformed);
  });

  test("is refused when it names a key that did not sign it, such as somebody else's", async () => {
    const own = await crypto.generateSigningKey(1);
    const foreign = await crypto.generateSigningKey(1);

    await expect(
      openCertificateRequest(await withKey(foreign.publicKey, own), { crypto }),
    ).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_SIGNATURE",
    });
  });

  test.each<readonly [string, Bytes]>([
    ["RSA of 1024 bits", rsa(1024, 65_537)],
    ["RSA with exponent 3", rsa(2048, 3)],
    ["P-192", curve("1.2.840.10045.3.1.1", 24)],
    ["P-224", curve("1.3.132.0.33", 28)],
    ["secp256k1", curve("1.3.132.0.10", 32)],
  ])("is refused for a weak or unknown key: %s", async (_name, publicKey) => {
    const request = await withKey(publicKey, await crypto.generateSigningKey(1));

    await expect(openCertificateRequest(request, { crypto })).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNSUPPORTED",
    });
  });
});

/** A request that names one key and is signed by another; its form is right. */
async function withKey(publicKey: Bytes, signer: SigningKey): Promise<Bytes> {
  const good = await createCertificateRequest({ commonName: "guest" }, signer, { crypto });
  const [information = new Uint8Array(), algorithm = new Uint8Array()] = derChildren(good);
  const fields = [...derChildren(information)];
  fields[2] = publicKey;
  const altered = sequence(...fields);
  const signature = toCertificateForm(signer.algorithm, await crypto.sign(signer, altered));
  return sequence(altered, algorithm, bitString(signature));
}

function rsa(bits: number, exponent: number): Bytes {
  const modulus = new Uint8Array(bits / 8).fill(0xa5);
  const numbers = sequence(integer(modulus), integer(exponent));
  return sequence(sequence(objectIdentifier(OID.rsaEncryption), NULL), bitString(numbers));
}

function curve(name: string, coordinateBytes: number): Bytes {
  const point = concatBytes(fromHex("04"), new Uint8Array(2 * coordinateBytes).fill(0x5a));
  const algorithm = sequence(objectIdentifier(OID.ecPublicKey), objectIdentifier(name));
  return sequence(algorithm, bitString(point));
}
