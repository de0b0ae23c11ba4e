import { concatBytes } from "@photinus/core/bytes";
import { createCertificateRequest, openCertificateRequest } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { describe, expect, test } from "vitest";

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
});
