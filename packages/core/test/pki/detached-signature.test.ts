import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import { issueRoot, requireName, signDetached, verifyDetached } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS } from "@photinus/core/testing";
import { describe, expect, test } from "vitest";

const crypto = webCrypto();
const content = utf8("what is signed\n");
const invalid = { code: "ERR_CERTIFICATE_SIGNATURE" };

async function aRoot(algorithm: 1 | 2 | 3 = 1) {
  const key = await crypto.generateSigningKey(algorithm, { modulusLength: 2048 });
  const project = requireName("test", "the project");
  return { certificate: await issueRoot({ project, key, nowMs: TEST_EPOCH_MS }, { crypto }), key };
}

const sign = (root: Awaited<ReturnType<typeof aRoot>>, what: Bytes = content) =>
  signDetached(what, { ...root, nowMs: TEST_EPOCH_MS }, { crypto });

describe("a detached signature", () => {
  test.each([1, 2, 3] as const)(
    "by a root of algorithm %i verifies over its content only",
    async (algorithm) => {
      const root = await aRoot(algorithm);
      const signature = await sign(root);
      const signer = root.certificate;

      await verifyDetached(signature, { content, signer }, { crypto });

      await expect(
        verifyDetached(signature, { content: utf8("other"), signer }, { crypto }),
      ).rejects.toMatchObject(invalid);
    },
  );

  test("is refused when any one byte of it is altered", async () => {
    const root = await aRoot();
    const signature = await sign(root);
    for (let at = 0; at < signature.length; at++) {
      const altered = signature.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      await expect(
        verifyDetached(altered, { content, signer: root.certificate }, { crypto }),
        `byte ${at}`,
      ).rejects.toMatchObject(invalid);
    }
  });

  test("by another root of the same name is refused", async () => {
    const [root, other] = [await aRoot(), await aRoot()];

    await expect(
      verifyDetached(await sign(other), { content, signer: root.certificate }, { crypto }),
    ).rejects.toMatchObject(invalid);
  });

  test("is refused with bytes after it, empty or oversized", async () => {
    const root = await aRoot();
    const signature = await sign(root);

    for (const bad of [concatBytes(signature, Uint8Array.of(0)), new Uint8Array(0), new Uint8Array(20_000)]) {
      await expect(
        verifyDetached(bad, { content, signer: root.certificate }, { crypto }),
      ).rejects.toMatchObject(invalid);
    }
  });
});
