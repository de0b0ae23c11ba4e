import { WireError } from "@photinus/core/errors";
import { webCrypto } from "@photinus/core/platform";
import { cryptoContract } from "@photinus/core/testing/contracts";
import { expect, test } from "vitest";

cryptoContract("WebCrypto", webCrypto);

test("says what is missing where a page has no crypto.subtle", () => {
  expect(() => webCrypto({})).toThrow(expect.objectContaining({ code: "ERR_CRYPTO_MISSING" }) as WireError);
});

test("says that the runtime has no X25519", async () => {
  const { subtle } = globalThis.crypto;
  const withoutX25519 = new Proxy(subtle, {
    get(target, property) {
      if (property === "generateKey") {
        return async () => {
          throw new DOMException("Unrecognized algorithm name", "NotSupportedError");
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const crypto = webCrypto({ subtle: withoutX25519 });

  await expect(async () => crypto.generateAgreementKey()).rejects.toBeInstanceOf(WireError);
  await expect(async () => crypto.generateAgreementKey()).rejects.toMatchObject({
    code: "ERR_X25519_MISSING",
  });
});
