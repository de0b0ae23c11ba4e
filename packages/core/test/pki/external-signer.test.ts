import { utf8 } from "@photinus/core/bytes";
import { type ExternalSigner, issueRoot, requireName, signAbroad } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { createProject, verifyKit } from "@photinus/core/provision";
import { expect, test } from "vitest";
import { toCertificateForm } from "../../src/pki/ecdsa-form.ts";

const crypto = webCrypto();
const nowMs = Date.UTC(2026, 6, 1);

async function aSigner(algorithm: 1 | 2 | 3): Promise<ExternalSigner> {
  const key = await crypto.generateSigningKey(algorithm, { modulusLength: 2048 });
  return {
    publicKey: key.publicKey,
    sign: async (data) => toCertificateForm(algorithm, await crypto.sign(key, data)),
  };
}

test.each([1, 2, 3] as const)(
  "a project's root may be a key that lies elsewhere, algorithm %i",
  async (algorithm) => {
    const abroad = signAbroad(await aSigner(algorithm), crypto);
    const definition = {
      name: "mnist",
      server: { name: "hub", org: "example", hosts: ["::1"], port: 1 },
      sites: [],
      users: [],
    };

    const { root, kits } = await createProject(
      definition,
      { crypto: abroad.crypto, clock: { now: () => nowMs } },
      { rootKey: abroad.key },
    );

    expect(root.keyPem).toBeUndefined();
    expect(root.secret).toBeUndefined();
    const files = kits.get("hub")?.files ?? new Map();
    expect(await verifyKit(files, { nowMs, root: root.certificate }, { crypto })).toBeDefined();
  },
);

test.each([
  ["by another key", async () => (await aSigner(3)).sign],
  ["of other data", async (own: ExternalSigner) => () => own.sign(utf8("something else"))],
  ["that is none", async () => async () => utf8("not DER")],
  ["that is empty", async () => async () => new Uint8Array(0)],
])("a signature %s is not used", async (_name, other) => {
  const own = await aSigner(3);
  const sign = await other(own);
  const abroad = signAbroad({ publicKey: own.publicKey, sign }, crypto);
  const request = { project: requireName("mnist", "the project"), key: abroad.key, nowMs };

  await expect(issueRoot(request, { crypto: abroad.crypto })).rejects.toMatchObject({
    code: "ERR_SIGNER_FAILED",
  });
});

test("a public key that is none, or of a kind that is not used, is refused at once", async () => {
  const sign = async () => new Uint8Array(0);

  expect(() => signAbroad({ publicKey: utf8("key"), sign }, crypto)).toThrow(
    expect.objectContaining({ code: "ERR_SIGNER_FAILED" }),
  );
});

test("the key of a signer cannot be exported", async () => {
  const { key, crypto: abroad } = signAbroad(await aSigner(3), crypto);

  expect(() => abroad.exportSigningKey(key)).toThrow(TypeError);
});
