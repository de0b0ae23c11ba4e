import { GENERAL_PATH_RULES, type PathRules, PHOTINUS_PATH_RULES, validatePath } from "@photinus/core/pki";
import { TEST_EPOCH_MS } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { implicit, sequence } from "../../src/pki/der-writer.ts";
import type { CertificateTemplate } from "../../src/pki/encode-certificate.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import { extension } from "./forge.ts";
import { constraints, directory } from "./general-names.ts";
import { chainOf, countingCrypto, type Party, party } from "./parties.ts";

const DAY_MS = 86_400_000;
const crypto = countingCrypto();
let root: Party;
let bare: Party;

beforeAll(async () => {
  root = await party({ name: "root" });
  bare = await party({ name: "bare", template: { authority: { pathLength: 0 } } });
});

interface Validation {
  readonly anchor?: Party;
  readonly rules?: Partial<PathRules>;
  readonly nowMs?: number;
}

function validate(
  path: readonly Party[],
  { anchor = root, rules = {}, nowMs = TEST_EPOCH_MS }: Validation = {},
) {
  return validatePath(
    path.map(({ certificate }) => certificate),
    { anchor: anchor.certificate, rules: { ...GENERAL_PATH_RULES, ...rules }, nowMs },
    { crypto },
  );
}

const UNTRUSTED = { code: "ERR_CERTIFICATE_UNTRUSTED" };

describe("path length", () => {
  const cases: readonly (readonly [string, readonly { name: string; pathLength?: number }[], boolean])[] = [
    ["a CA of length 0 may issue a holder", [{ name: "a", pathLength: 0 }, { name: "end" }], true],
    [
      "a CA of length 0 may not issue a CA that issues",
      [{ name: "a", pathLength: 0 }, { name: "b" }, { name: "end" }],
      false,
    ],
    [
      "a lower CA may not widen it",
      [{ name: "a", pathLength: 1 }, { name: "b", pathLength: 4 }, { name: "c" }, { name: "end" }],
      false,
    ],
    [
      "a lower CA may narrow it",
      [{ name: "a", pathLength: 3 }, { name: "b", pathLength: 0 }, { name: "c" }, { name: "end" }],
      false,
    ],
    [
      "a self-issued CA is no further one",
      [{ name: "a", pathLength: 0 }, { name: "a" }, { name: "end" }],
      true,
    ],
    [
      "a self-issued CA does not lift it",
      [{ name: "a", pathLength: 0 }, { name: "a" }, { name: "b" }, { name: "end" }],
      false,
    ],
    [
      "a self-issued CA may narrow it",
      [{ name: "a", pathLength: 1 }, { name: "a", pathLength: 0 }, { name: "b" }, { name: "end" }],
      false,
    ],
  ];

  test.each(cases)("%s", async (_name, links, isValid) => {
    const path = await chainOf(root, ...links);

    if (isValid) await expect(validate(path)).resolves.toBeDefined();
    else await expect(validate(path)).rejects.toMatchObject(UNTRUSTED);
  });

  test("of the root counts too", async () => {
    await expect(validate(await chainOf(bare, { name: "end" }), { anchor: bare })).resolves.toBeDefined();
    await expect(
      validate(await chainOf(bare, { name: "a" }, { name: "end" }), { anchor: bare }),
    ).rejects.toMatchObject(UNTRUSTED);
    await expect(
      validate(await chainOf(bare, { name: "a" }, { name: "b" }, { name: "end" }), { anchor: bare }),
    ).rejects.toMatchObject(UNTRUSTED);
  });
});

describe("a path", () => {
  test("is refused when it is longer than the depth, without a signature being looked at", async () => {
    const path = await chainOf(root, { name: "a" }, { name: "b" }, { name: "c" }, { name: "end" });
    await expect(validate(path)).resolves.toBeDefined();
    crypto.verifications = 0;

    await expect(
      validate(path, { rules: { maximumDepth: PHOTINUS_PATH_RULES.maximumDepth } }),
    ).rejects.toMatchObject(UNTRUSTED);
    await expect(validate([])).rejects.toMatchObject(UNTRUSTED);

    expect(PHOTINUS_PATH_RULES.maximumDepth).toBe(4);
    expect(crypto.verifications).toBe(0);
  });

  test("is refused in another order, with a gap, with a certificate doubled, or by another root", async () => {
    const path = await chainOf(root, { name: "a" }, { name: "b" }, { name: "end" });
    const [end, b, a] = path;
    if (!end || !b || !a) throw new RangeError("three certificates");
    crypto.verifications = 0;

    for (const wrong of [
      [end, a, b],
      [end, a],
      [end, b],
      [end, end, b, a],
      [end, b, b, a],
    ]) {
      await expect(validate(wrong)).rejects.toMatchObject(UNTRUSTED);
    }
    await expect(validate(path, { anchor: bare })).rejects.toMatchObject(UNTRUSTED);
    expect(crypto.verifications).toBe(0);
  });

  test("is refused under a root of the same name with another key", async () => {
    const impostor = await party({ name: "root" });
    const path = await chainOf(root, { name: "end" });

    await expect(validate(path, { anchor: impostor })).rejects.toMatchObject(UNTRUSTED); // key identifier
  });

  test("is refused by its signature where key identifiers are copied", async () => {
    const copied = root.certificate.extensions.subjectKeyIdentifier ?? new Uint8Array();
    const key = await crypto.generateSigningKey(1);
    const fake = { certificate: root.certificate, key };
    const end = await party({
      name: "end",
      issuer: fake,
      extensions: [extension(OID.authorityKeyIdentifier, sequence(implicit(0, copied)))],
    });

    await expect(validate([end])).rejects.toMatchObject({ code: "ERR_CERTIFICATE_SIGNATURE" });
  });

  test("does not use a key before it is proved: the first signature is the root's", async () => {
    const key = await crypto.generateSigningKey(1);
    const forgedCa = await party({ name: "a", issuer: { certificate: root.certificate, key } });
    const end = await party({ name: "end", issuer: forgedCa });
    crypto.verifications = 0;

    await expect(validate([end, forgedCa])).rejects.toMatchObject({ code: "ERR_CERTIFICATE_SIGNATURE" });

    expect(crypto.verifications).toBe(1);
  });

  test("has its names compared only after its signatures: a stranger could make that costly", async () => {
    const key = await crypto.generateSigningKey(1);
    const limits = constraints({ excluded: [directory({ organization: "example" })] });
    const stranger = { certificate: root.certificate, key };
    const a = await party({ name: "a", issuer: stranger, extensions: [limits] });
    const proved = await party({ name: "a", issuer: root, extensions: [limits] });

    await expect(validate([await party({ name: "end", issuer: a }), a])).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_SIGNATURE",
    });
    await expect(validate([await party({ name: "end", issuer: proved }), proved])).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_CONSTRAINT",
    });
  });

  test("is valid while all of it is, the root included", async () => {
    const notAfterMs = TEST_EPOCH_MS + 60_000;
    const notBeforeMs = TEST_EPOCH_MS - 60_000;
    const a = await party({ name: "a", issuer: root, template: { notAfterMs } });
    const end = await party({ name: "end", issuer: a, template: { notBeforeMs } });
    const at = (nowMs: number) => validate([end, a], { nowMs });

    expect(await at(notBeforeMs)).toMatchObject({ notBeforeMs, notAfterMs });
    await expect(at(notAfterMs)).resolves.toBeDefined();
    await expect(at(notBeforeMs - 1)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_NOT_YET_VALID" });
    await expect(at(notAfterMs + 1)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED" });
    await expect(at(TEST_EPOCH_MS + 2 * DAY_MS)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_EXPIRED" });
  });
});

describe("an issuer", () => {
  async function under(template: Partial<CertificateTemplate>): Promise<readonly Party[]> {
    const a = await party({ name: "a", issuer: root, template });
    return [await party({ name: "end", issuer: a }), a];
  }

  test("has to be a CA", async () => {
    const a = await party({
      name: "a",
      issuer: root,
      extensions: [extension(OID.basicConstraints, sequence(), "critical")],
    });

    expect(a.certificate.extensions.authority).toBeUndefined();
    await expect(validate([await party({ name: "end", issuer: a }), a])).rejects.toMatchObject(UNTRUSTED);
  });

  test("has to have a key that signs certificates", async () => {
    await expect(validate(await under({ keyUsage: ["cRLSign", "digitalSignature"] }))).rejects.toMatchObject(
      UNTRUSTED,
    );
    await expect(
      validate(await under({ keyUsage: ["keyCertSign", "digitalSignature"] })),
    ).resolves.toBeDefined();
  });

  test("may be silent about its key by RFC 5280, not by the rules of Photinus", async () => {
    const a = await party({ name: "a", issuer: root, withoutExtensions: [OID.keyUsage] });
    const path = [await party({ name: "end", issuer: a }), a];

    expect(a.certificate.extensions.keyUsage).toBeUndefined();
    await expect(validate(path)).resolves.toBeDefined();
    await expect(
      validate(path, { rules: { requiresKeyUsage: PHOTINUS_PATH_RULES.requiresKeyUsage } }),
    ).rejects.toMatchObject(UNTRUSTED);
  });
});

describe("schemes", () => {
  test.each([2048, 3072] as const)("RSA-PSS of %i bits is one of Photinus", async (modulusLength) => {
    const key = await crypto.generateSigningKey(2, { modulusLength });
    const ca = await party({ name: "rsa root", key });
    const end = await party({ name: "end", issuer: ca });

    await expect(validate([end], { anchor: ca, rules: PHOTINUS_PATH_RULES })).resolves.toBeDefined();
    await expect(validate([end], { anchor: ca, rules: { schemes: ["ECDSA"] } })).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNSUPPORTED",
    });
  });
});
