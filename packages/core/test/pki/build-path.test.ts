import {
  type Certificate,
  findValidPath,
  GENERAL_PATH_RULES,
  type RevocationAnswer,
  validatePath,
} from "@photinus/core/pki";
import { TEST_EPOCH_MS } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { chainOf, countingCrypto, type Party, party } from "./parties.ts";

const crypto = countingCrypto();
let root: Party;

beforeAll(async () => {
  root = await party({ name: "root" });
});

const UNTRUSTED = { code: "ERR_CERTIFICATE_UNTRUSTED" };

describe("revocation", () => {
  const asking = (answers: Readonly<Record<string, RevocationAnswer>>, asked: string[] = []) => ({
    epoch: 1,
    check(certificate: Certificate, issuer: Certificate): RevocationAnswer {
      const name = certificate.subject.commonName ?? "";
      asked.push(`${name} of ${issuer.subject.commonName}`);
      return answers[name] ?? { status: "unknown" };
    },
  });
  const good = (untilMs: number): RevocationAnswer => ({ status: "good", untilMs });

  async function underA(): Promise<readonly Certificate[]> {
    const path = await chainOf(root, { name: "a" }, { name: "end" });
    return path.map(({ certificate }) => certificate);
  }

  function ask(path: readonly Certificate[], revocation: ReturnType<typeof asking>) {
    const conditions = {
      anchor: root.certificate,
      rules: GENERAL_PATH_RULES,
      nowMs: TEST_EPOCH_MS,
      revocation,
    };
    return validatePath(path, conditions, { crypto });
  }

  test("is asked for each certificate from the root down, and holds as long as the first answer ends", async () => {
    const asked: string[] = [];

    const { statusUntilMs } = await ask(await underA(), asking({ a: good(20), end: good(10) }, asked));

    expect(asked).toEqual(["a of root", "end of a"]);
    expect(statusUntilMs).toBe(10);
  });

  test("of any certificate refuses the path, and so does not knowing", async () => {
    const path = await underA();

    await expect(ask(path, asking({ a: { status: "revoked" }, end: good(1) }))).rejects.toMatchObject({
      code: "ERR_REVOKED",
    });
    await expect(ask(path, asking({ a: good(1), end: { status: "revoked" } }))).rejects.toMatchObject({
      code: "ERR_REVOKED",
    });
    await expect(ask(path, asking({ end: good(1) }))).rejects.toMatchObject({ code: "ERR_CRL_MISSING" });
    await expect(ask(path, asking({ a: good(1) }))).rejects.toMatchObject({ code: "ERR_CRL_MISSING" });
  });

  test("is not asked for a certificate whose signature does not verify", async () => {
    const asked: string[] = [];
    const key = await crypto.generateSigningKey(1);
    const end = await party({ name: "end", issuer: { certificate: root.certificate, key } });

    await expect(ask([end.certificate], asking({}, asked))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_SIGNATURE",
    });

    expect(asked).toEqual([]);
  });
});

describe("a path that has to be found", () => {
  const material = () => ({ anchor: root.certificate, rules: GENERAL_PATH_RULES, nowMs: TEST_EPOCH_MS });

  test("is found among certificates in any order, past those that lead nowhere", async () => {
    const path = await chainOf(root, { name: "a" }, { name: "b" }, { name: "end" });
    const [end, b, a] = path.map(({ certificate }) => certificate);
    const expired = await party({ name: "b", issuer: root, template: { notAfterMs: TEST_EPOCH_MS - 1000 } });
    if (!end || !b || !a) throw new RangeError("three certificates");

    const found = await findValidPath(
      end,
      { ...material(), authorities: [expired.certificate, b, a] },
      { crypto },
    );

    expect(found.path.map(({ subject }) => subject.commonName)).toEqual(["end", "b", "a"]);
  });

  test("is refused with the reason of the last that was tried, or for want of any", async () => {
    const expired = await party({ name: "a", issuer: root, template: { notAfterMs: TEST_EPOCH_MS - 1000 } });
    const end = await party({ name: "end", issuer: expired });

    const authorities = [expired.certificate];
    await expect(
      findValidPath(end.certificate, { ...material(), authorities }, { crypto }),
    ).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_EXPIRED",
    });
    await expect(
      findValidPath(end.certificate, { ...material(), authorities: [] }, { crypto }),
    ).rejects.toMatchObject(UNTRUSTED);
  });

  test("is not looked for without end among CAs that issued one another", async () => {
    const key = await crypto.generateSigningKey(1);
    const loops = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        party({ name: "loop", key, template: { notAfterMs: TEST_EPOCH_MS + 1000 * (index + 1) } }),
      ),
    );
    const [first] = loops;
    if (first === undefined) throw new RangeError("no loops");
    const end = await party({ name: "end", issuer: first });
    crypto.verifications = 0;

    const authorities = loops.map(({ certificate }) => certificate);
    await expect(
      findValidPath(end.certificate, { ...material(), authorities }, { crypto }),
    ).rejects.toMatchObject(UNTRUSTED);

    expect(crypto.verifications).toBe(0);
  });
});
