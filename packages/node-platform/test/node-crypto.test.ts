import { fromHex, utf8 } from "@photinus/core/bytes";
import { loadPki, verifyChain } from "@photinus/core/pki";
import { type CryptoProvider, type SignatureAlgorithm, webCrypto } from "@photinus/core/platform";
import { afterMicrotasks, TEST_EPOCH_MS, testProject } from "@photinus/core/testing";
import { cryptoContract } from "@photinus/core/testing/contracts";
import { nodeCrypto } from "@photinus/node-platform";
import { describe, expect, test } from "vitest";

cryptoContract("node:crypto", nodeCrypto);

describe("node:crypto beside WebCrypto", () => {
  const pairs: readonly (readonly [string, CryptoProvider, CryptoProvider])[] = [
    ["node:crypto to WebCrypto", nodeCrypto(), webCrypto()],
    ["WebCrypto to node:crypto", webCrypto(), nodeCrypto()],
  ];

  for (const [direction, from, to] of pairs) {
    for (const algorithm of [1, 2, 3] satisfies SignatureAlgorithm[]) {
      test(`a signature of algorithm ${algorithm} verifies from ${direction}`, async () => {
        const key = await from.generateSigningKey(algorithm, { modulusLength: 2048 });
        const data = utf8("across");

        const signature = await from.sign(key, data);

        expect(await to.verify(await to.importVerifyingKey(key.publicKey, algorithm), signature, data)).toBe(
          true,
        );
      });
    }

    test(`agrees on one secret and opens what was sealed from ${direction}`, async () => {
      const [one, other] = [await from.generateAgreementKey(), await to.generateAgreementKey()];
      const secret = await from.agree(one, other.publicKey);
      const same = await to.agree(other, one.publicKey);
      if (secret === undefined || same === undefined) throw new Error("no secret");
      const iv = fromHex("000000000000000000000001");

      const sealed = await from.aesGcmSeal(await from.importAesGcmKey(secret), iv, utf8("hi"), utf8("aad"));

      expect(await to.aesGcmOpen(await to.importAesGcmKey(same), iv, sealed, utf8("aad"))).toEqual(
        utf8("hi"),
      );
    });
  }

  test("answers without a promise, so that nothing waits for a thread pool", () => {
    const crypto = nodeCrypto();

    expect(crypto.sha256(utf8("abc"))).toBeInstanceOf(Uint8Array);
    expect(crypto.generateSigningKey(1)).toHaveProperty("publicKey");
  });
});

test("a chain is verified without leaving the microtask queue, once the certificate libraries are loaded", async () => {
  const crypto = nodeCrypto();
  const { root, sites, project } = await testProject({ crypto, sites: ["a"], users: [] });
  const chain = sites.get("a")?.participant.chain ?? [];
  await loadPki();
  let isVerified = false;

  const expectations = {
    root: root.certificate.der,
    project,
    usage: "client",
    nowMs: TEST_EPOCH_MS,
  } as const;
  const verifying = verifyChain(chain, expectations, { crypto }).then(() => {
    isVerified = true;
  });
  await afterMicrotasks();

  expect(isVerified).toBe(true);
  await verifying;
});
