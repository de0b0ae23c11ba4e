import { type Bytes, utf8 } from "@photinus/core/bytes";
import { GENERATED_SECRET_ITERATIONS, openPrivateKey, sealPrivateKey } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { beforeAll, describe, expect, test } from "vitest";
import { integer, objectIdentifier, octetString, sequence } from "../../src/pki/der-writer.ts";
import { OID } from "../../src/pki/object-identifiers.ts";

const crypto = webCrypto();
const unreadable = { code: "ERR_KEY_UNREADABLE" };
let pkcs8: Bytes;
let sealed: Bytes;

beforeAll(async () => {
  pkcs8 = await crypto.exportSigningKey(await crypto.generateSigningKey(1, { extractable: true }));
  sealed = await sealPrivateKey(
    pkcs8,
    { passphrase: "secret", iterations: GENERATED_SECRET_ITERATIONS },
    { crypto },
  );
});

describe("a sealed private key", () => {
  test("opens by its passphrase and holds nothing of it or the key", async () => {
    expect(await openPrivateKey(sealed, "secret", { crypto })).toEqual(pkcs8);
    const hex = (bytes: Bytes) => Array.from(bytes).join();
    expect(hex(sealed)).not.toContain(hex(pkcs8.slice(-32)));
    expect(hex(sealed)).not.toContain(hex(utf8("secret")));
  });

  test("is never the same twice", async () => {
    const again = await sealPrivateKey(pkcs8, { passphrase: "secret", iterations: 1 }, { crypto });

    expect(again).not.toEqual(sealed);
  });

  test("does not open by another passphrase, of which one in 256 yields a valid padding", async () => {
    const quick = await sealPrivateKey(pkcs8, { passphrase: "secret", iterations: 1 }, { crypto });
    for (let attempt = 0; attempt < 600; attempt++) {
      await expect(openPrivateKey(quick, `wrong ${attempt}`, { crypto })).rejects.toMatchObject(unreadable);
    }
  });

  test("is refused when it is damaged, plain or empty", async () => {
    const shorter = sealed.slice(0, -1);

    for (const bad of [shorter, pkcs8, new Uint8Array(0), new Uint8Array(20_000)]) {
      await expect(openPrivateKey(bad, "secret", { crypto })).rejects.toMatchObject(unreadable);
    }
  });

  test("is refused when it asks for more work than is reasonable, or another scheme", async () => {
    const file = (iterations: number, prf: string, cipher: string) =>
      sequence(
        sequence(
          objectIdentifier(OID.pbes2),
          sequence(
            sequence(
              objectIdentifier(OID.pbkdf2),
              sequence(octetString(new Uint8Array(16)), integer(iterations), sequence(objectIdentifier(prf))),
            ),
            sequence(objectIdentifier(cipher), octetString(new Uint8Array(16))),
          ),
        ),
        octetString(new Uint8Array(64)),
      );
    const hmacSha1 = "1.2.840.113549.2.7";
    const aes128 = "2.16.840.1.101.3.4.1.2";

    for (const bad of [
      file(2_000_000_000, OID.hmacSha256, OID.aes256Cbc),
      file(1, hmacSha1, OID.aes256Cbc),
      file(1, OID.hmacSha256, aes128),
    ]) {
      await expect(openPrivateKey(bad, "secret", { crypto })).rejects.toMatchObject(unreadable);
    }
  });
});
