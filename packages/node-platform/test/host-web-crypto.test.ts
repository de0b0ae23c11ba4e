import { webcrypto } from "node:crypto";
import { utf8 } from "@photinus/core/bytes";
import { type CryptoProvider, type WebCryptoSource, webCrypto } from "@photinus/core/platform";
import { afterMicrotasks, testProject } from "@photinus/core/testing";
import { cryptoContract } from "@photinus/core/testing/contracts";
import { hostWebCrypto, nodeCrypto } from "@photinus/node-platform";
import { describe, expect, test } from "vitest";

/** What a host without WebCrypto gets. */
const withoutWebCrypto = await hostWebCrypto({ host: {} });

cryptoContract("WebCrypto of node:crypto", () => webCrypto(webcrypto as WebCryptoSource));
cryptoContract("@peculiar/webcrypto", () => withoutWebCrypto);

describe("WebCrypto of the host", () => {
  const neverLoaded = (): Promise<WebCryptoSource> => Promise.reject(new Error("it was loaded"));

  test("is the host's own where it has one, and nothing else is loaded", async () => {
    const crypto = await hostWebCrypto({ load: neverLoaded });

    const { handle } = await crypto.generateSigningKey(1);

    expect(handle).toBeInstanceOf(CryptoKey);
  });

  test("is loaded where the host has none", async () => {
    const { handle } = await withoutWebCrypto.generateSigningKey(1);

    expect(handle).not.toBeInstanceOf(CryptoKey);
    await expect(hostWebCrypto({ host: {}, load: neverLoaded })).rejects.toThrow("it was loaded");
  });

  const others: readonly (readonly [string, CryptoProvider])[] = [
    ["WebCrypto", webCrypto()],
    ["node:crypto", nodeCrypto()],
  ];
  test.for(others)("what is loaded agrees with %s: signatures, secrets, ciphertext", async ([, other]) => {
    const data = utf8("across");
    for (const algorithm of [1, 2, 3] as const) {
      const key = await withoutWebCrypto.generateSigningKey(algorithm, { modulusLength: 2048 });
      const verifying = await other.importVerifyingKey(key.publicKey, algorithm);
      expect(await other.verify(verifying, await withoutWebCrypto.sign(key, data), data)).toBe(true);
    }
    const [one, two] = [await withoutWebCrypto.generateAgreementKey(), await other.generateAgreementKey()];
    const secret = await withoutWebCrypto.agree(one, two.publicKey);
    expect(secret).toEqual(await other.agree(two, one.publicKey));
    const raw = secret ?? new Uint8Array(0);
    const iv = new Uint8Array(12);
    const sealed = await withoutWebCrypto.aesGcmSeal(
      await withoutWebCrypto.importAesGcmKey(raw),
      iv,
      data,
      data,
    );
    expect(await other.aesGcmOpen(await other.importAesGcmKey(raw), iv, sealed, data)).toEqual(data);
  });

  test("what is loaded carries a whole project: certificates are issued and verified", async () => {
    const { sites } = await testProject({ crypto: withoutWebCrypto, sites: ["a"], users: [] });
    await afterMicrotasks();

    expect(sites.get("a")?.participant).toMatchObject({ name: "a", role: "site" });
  });
});
