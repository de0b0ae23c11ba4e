import { type Bytes, concatBytes, toHex, utf8 } from "@photinus/core/bytes";
import {
  issueRevocationList,
  MAX_REVOCATION_LIST_BYTES,
  parseRevocationList,
  REVOCATION_LIFETIME_MS,
  type RevocationList,
  type RevokedCertificate,
  requireCurrent,
  verifyRevocationList,
} from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { derChildren } from "../../src/pki/der-reader.ts";
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  TRUE,
  time,
  tlv,
} from "../../src/pki/der-writer.ts";
import { toCertificateForm } from "../../src/pki/ecdsa-form.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import { signatureAlgorithmIdentifier } from "../../src/pki/signature-algorithm.ts";

const crypto = webCrypto();
const SERIAL = Uint8Array.of(0x40, 1, 2, 3);
let project: TestProject;

beforeAll(async () => {
  project = await testProject({ sites: [], users: [] });
});

function revoked(changes: Partial<RevokedCertificate> = {}): RevokedCertificate {
  return { serialNumber: SERIAL, revokedAtMs: TEST_EPOCH_MS - 60_000, reason: "keyCompromise", ...changes };
}

function issue(entries: readonly RevokedCertificate[] = [revoked()], number = 7): Promise<RevocationList> {
  const request = {
    number,
    nowMs: TEST_EPOCH_MS,
    lifetimeMs: REVOCATION_LIFETIME_MS.root,
    revoked: entries,
  };
  return issueRevocationList(request, project.root, { crypto });
}

/** Fields of a list as its issuer would sign them, in order. */
interface ListParts {
  readonly version: Bytes;
  readonly algorithm: Bytes;
  readonly thisUpdate: Bytes;
  readonly nextUpdate: Bytes | undefined;
  readonly revoked: Bytes | undefined;
  readonly extensions: readonly Bytes[] | undefined;
}

const extension = (type: string, value: Bytes, isCritical = false): Bytes =>
  sequence(objectIdentifier(type), ...(isCritical ? [TRUE] : []), octetString(value));

const entry = (...extensions: readonly Bytes[]): Bytes =>
  sequence(
    tlv(2, SERIAL),
    time(TEST_EPOCH_MS),
    ...(extensions.length === 0 ? [] : [sequence(...extensions)]),
  );

/** A list with a right signature of the root over whatever it says. */
async function signed(changes: Partial<ListParts> = {}): Promise<Bytes> {
  const { certificate, key } = project.root;
  const parts: ListParts = {
    version: integer(1),
    algorithm: signatureAlgorithmIdentifier(1),
    thisUpdate: time(TEST_EPOCH_MS),
    nextUpdate: time(TEST_EPOCH_MS + 1000),
    revoked: sequence(entry()),
    extensions: [extension(OID.crlNumber, integer(1))],
    ...changes,
  };
  const tbs = sequence(
    parts.version,
    parts.algorithm,
    certificate.subject.der,
    parts.thisUpdate,
    ...(parts.nextUpdate === undefined ? [] : [parts.nextUpdate]),
    ...(parts.revoked === undefined ? [] : [parts.revoked]),
    ...(parts.extensions === undefined ? [] : [explicit(0, sequence(...parts.extensions))]),
  );
  const signature = toCertificateForm(1, await crypto.sign(key, tbs));
  return sequence(tbs, signatureAlgorithmIdentifier(1), bitString(signature));
}

const parse = (der: Bytes): Promise<RevocationList> => parseRevocationList(der, { crypto });

describe("a list that a CA issues", () => {
  test("is read back as it was said", async () => {
    const held = revoked({ serialNumber: Uint8Array.of(5), reason: "unspecified" });

    const list = await parse((await issue([revoked(), held])).der);

    expect(list).toMatchObject({
      number: 7,
      thisUpdateMs: TEST_EPOCH_MS - 300_000,
      nextUpdateMs: TEST_EPOCH_MS + 90 * 86_400_000,
    });
    expect([...list.entries.keys()]).toEqual([toHex(SERIAL), "05"]);
    expect(list.entries.get(toHex(SERIAL))).toEqual(revoked());
    expect(list.entries.get("05")).toEqual(held);
    expect(list.digest).toEqual(await crypto.sha256(list.der));
  });

  test("verifies with the certificate of the CA, empty or not", async () => {
    await verifyRevocationList(await issue(), project.root.certificate, { crypto });
    await verifyRevocationList(await issue([]), project.root.certificate, { crypto });
    expect((await issue([])).entries.size).toBe(0);
  });

  test("is refused at issue when it would be larger than what is read", async () => {
    const many = Array.from({ length: 800 }, (_, index) =>
      revoked({ serialNumber: concatBytes(Uint8Array.of(0x40), new Uint8Array(13), utf8(`${index + 100}`)) }),
    );

    await expect(issue(many)).rejects.toMatchObject({ code: "ERR_CRL_MALFORMED" });
    expect((await issue(many.slice(0, 650))).der.length).toBeLessThanOrEqual(MAX_REVOCATION_LIST_BYTES);
  });

  test("is current from its issue, five minutes of other clocks included, to its next update", async () => {
    const list = await issue();

    requireCurrent(list, TEST_EPOCH_MS - 300_000);
    requireCurrent(list, list.nextUpdateMs);
    const stale = expect.objectContaining({ code: "ERR_CRL_STALE" });
    expect(() => requireCurrent(list, list.nextUpdateMs + 1)).toThrow(stale);
    expect(() => requireCurrent(list, TEST_EPOCH_MS - 300_001)).toThrow(stale);
  });
});

describe("verification refuses", () => {
  const untrusted = { code: "ERR_CRL_UNTRUSTED" };

  test("a list of another CA of the same project", async () => {
    const list = await issue();

    await expect(
      verifyRevocationList(list, project.enrolmentCa.certificate, { crypto }),
    ).rejects.toMatchObject(untrusted);
  });

  test("a list of a CA with the same name and another key", async () => {
    const twin = await testProject({ sites: [], users: [] });

    await expect(
      verifyRevocationList(await issue(), twin.root.certificate, { crypto }),
    ).rejects.toMatchObject(untrusted);
  });

  test("a list of a CA with the same name, the same key identifier claimed, and another key", async () => {
    const twin = await testProject({ sites: [], users: [] });
    const request = { number: 9, nowMs: TEST_EPOCH_MS, lifetimeMs: 1000, revoked: [] };
    const forged = { certificate: project.root.certificate, key: twin.root.key };
    const list = await issueRevocationList(request, forged, { crypto });

    await expect(verifyRevocationList(list, project.root.certificate, { crypto })).rejects.toMatchObject(
      untrusted,
    );
  });

  test("a list by a certificate that may not sign lists", async () => {
    const server = project.server.participant.chain[0];
    if (server === undefined) throw new Error("the server has a certificate");
    const { parseCertificate } = await import("@photinus/core/pki");
    const certificate = await parseCertificate(server, { crypto });
    const request = { number: 9, nowMs: TEST_EPOCH_MS, lifetimeMs: 1000, revoked: [] };
    const list = await issueRevocationList(
      request,
      { certificate, key: project.server.signingKey },
      { crypto },
    );

    await expect(verifyRevocationList(list, certificate, { crypto })).rejects.toMatchObject(untrusted);
  });
});

describe("the form", () => {
  const malformed = { code: "ERR_CRL_MALFORMED" };
  const unsupported = { code: "ERR_CRL_UNSUPPORTED" };

  test("of these tests is accepted when nothing is changed", async () => {
    const list = await parse(await signed());

    await verifyRevocationList(list, project.root.certificate, { crypto });
    expect(list.entries.size).toBe(1);
  });

  const CRITICAL_UNKNOWN = extension("1.2.3.4", sequence(), true);
  const NUMBER = extension(OID.crlNumber, integer(1));

  test.each<readonly [string, Partial<ListParts>]>([
    ["an unknown critical extension", { extensions: [NUMBER, CRITICAL_UNKNOWN] }],
    ["a delta list", { extensions: [NUMBER, extension(OID.deltaCrlIndicator, integer(1), true)] }],
    [
      "a delta list that says so by the way",
      { extensions: [NUMBER, extension(OID.deltaCrlIndicator, integer(1))] },
    ],
    [
      "a list for a part of the certificates, or an indirect one",
      { extensions: [NUMBER, extension(OID.issuingDistributionPoint, sequence(), true)] },
    ],
    ["an entry with an unknown critical extension", { revoked: sequence(entry(CRITICAL_UNKNOWN)) }],
    [
      "an entry of another issuer",
      { revoked: sequence(entry(extension(OID.certificateIssuer, sequence(), true))) },
    ],
    [
      "an entry that takes a revocation back",
      { revoked: sequence(entry(extension(OID.reasonCode, tlv(10, Uint8Array.of(8))))) },
    ],
    [
      "a reason that does not exist",
      { revoked: sequence(entry(extension(OID.reasonCode, tlv(10, Uint8Array.of(7))))) },
    ],
    [
      "a number beyond 2^53",
      { extensions: [extension(OID.crlNumber, integer(new Uint8Array(7).fill(0xff)))] },
    ],
    ["a number of 20 bytes", { extensions: [extension(OID.crlNumber, integer(new Uint8Array(20).fill(1)))] }],
  ])("is unsupported: %s", async (_, changes) => {
    await expect(parse(await signed(changes))).rejects.toMatchObject(unsupported);
  });

  test.each<readonly [string, Partial<ListParts>]>([
    ["version 1", { version: integer(0) }],
    ["another algorithm inside than outside", { algorithm: signatureAlgorithmIdentifier(3) }],
    ["no next update", { nextUpdate: undefined }],
    ["a next update that is not after this one", { nextUpdate: time(TEST_EPOCH_MS) }],
    ["no extensions", { extensions: undefined }],
    ["an empty list of extensions", { extensions: [] }],
    ["no number", { extensions: [extension(OID.authorityKeyIdentifier, sequence())] }],
    ["a number twice", { extensions: [NUMBER, NUMBER] }],
    ["a negative number", { extensions: [extension(OID.crlNumber, tlv(2, Uint8Array.of(0xff)))] }],
    ["an empty list of entries", { revoked: sequence() }],
    ["an entry twice", { revoked: sequence(entry(), entry()) }],
    [
      "an entry with an empty list of extensions",
      { revoked: sequence(sequence(tlv(2, SERIAL), time(TEST_EPOCH_MS), sequence())) },
    ],
    ["an entry without a date", { revoked: sequence(sequence(tlv(2, SERIAL))) }],
    [
      "a serial number of 21 bytes",
      { revoked: sequence(sequence(tlv(2, new Uint8Array(21).fill(1)), time(TEST_EPOCH_MS))) },
    ],
    [
      "a criticality written although it is the default",
      {
        extensions: [
          sequence(objectIdentifier(OID.crlNumber), Uint8Array.of(1, 1, 0), octetString(integer(1))),
        ],
      },
    ],
    ["a 30th of February", { thisUpdate: tlv(23, utf8("260230000000Z")) }],
    ["a year before 2050 in the long form", { thisUpdate: tlv(24, utf8("20260101000000Z")) }],
  ])("is malformed: %s", async (_, changes) => {
    await expect(parse(await signed(changes))).rejects.toMatchObject(malformed);
  });

  test("is malformed: bytes after the list, or inside it after its parts", async () => {
    const whole = await signed();
    const extra = sequence(...derChildren(whole), integer(1));

    await expect(parse(concatBytes(whole, Uint8Array.of(0)))).rejects.toMatchObject(malformed);
    await expect(parse(extra)).rejects.toMatchObject(malformed);
  });

  test("is malformed: more bytes than a list may have, before any of them is read", async () => {
    await expect(parse(new Uint8Array(MAX_REVOCATION_LIST_BYTES + 1))).rejects.toMatchObject(malformed);
  });

  test("no cut and no altered byte of a list is believed", async () => {
    const { der } = await issue();
    const issuer = project.root.certificate;
    for (let length = 0; length < der.length; length++) {
      await expect(parse(der.slice(0, length))).rejects.toMatchObject(malformed);
    }
    for (let index = 0; index < der.length; index++) {
      const altered = der.slice();
      altered[index] = (altered[index] ?? 0) ^ 1;
      const verified = parse(altered).then((list) => verifyRevocationList(list, issuer, { crypto }));
      await expect(verified).rejects.toMatchObject({
        code: expect.stringMatching(/^ERR_(CRL|CERTIFICATE)_/),
      });
    }
  });
});
