import { type Bytes, equalBytes, fromHex, toHex } from "@photinus/core/bytes";
import { type Certificate, type Issuer, isSameCertificate, verifyChain } from "@photinus/core/pki";
import { type SigningKey, webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { derChildren, derContent } from "../../src/pki/der-reader.ts";
import { bitString, integer, sequence } from "../../src/pki/der-writer.ts";
import { type CertificateTemplate, signCertificate } from "../../src/pki/encode-certificate.ts";
import { OID } from "../../src/pki/object-identifiers.ts";

// Certificates that a dishonest or careless holder of a CA's key could sign: the signature is right in all of them.

const crypto = webCrypto();
const DAY_MS = 86_400_000;
let project: TestProject;
let holder: SigningKey;

beforeAll(async () => {
  project = await testProject({ sites: [], users: [] });
  holder = await crypto.generateSigningKey(1);
});

const SUBJECT = { organization: "example", organizationalUnit: "site", commonName: "clinic-a" };

function site(changes: Partial<CertificateTemplate> = {}): CertificateTemplate {
  return {
    subject: SUBJECT,
    publicKey: holder.publicKey,
    notBeforeMs: TEST_EPOCH_MS - DAY_MS,
    notAfterMs: TEST_EPOCH_MS + DAY_MS,
    uri: "urn:photinus:test:site:clinic-a",
    keyUsage: ["digitalSignature"],
    purposes: [OID.clientAuth],
    ...changes,
  };
}

const sign = (template: CertificateTemplate, issuer: Issuer) => signCertificate(template, issuer, { crypto });

function verify(chain: readonly Bytes[], usage: "client" | "server" | "signer" = "client") {
  const root = project.root.certificate.der;
  return verifyChain(chain, { root, project: "test", usage, nowMs: TEST_EPOCH_MS }, { crypto });
}

test("the template of these tests is accepted when nothing is changed", async () => {
  const { der } = await sign(site(), project.root);

  expect((await verify([der])).participant.name).toBe("clinic-a");
});

describe("a leaf of the root is refused when", () => {
  const cases: readonly (readonly [string, Partial<CertificateTemplate>, string])[] = [
    ["its CN differs from its URI", { subject: { ...SUBJECT, commonName: "clinic-b" } }, "NAME"],
    ["its OU differs from its role", { subject: { ...SUBJECT, organizationalUnit: "lead" } }, "NAME"],
    ["its O is no name", { subject: { ...SUBJECT, organization: "Example Inc." } }, "NAME"],
    ["it has no O", { subject: { organizationalUnit: "site", commonName: "clinic-a" } }, "NAME"],
    ["its URI is of another project", { uri: "urn:photinus:other:site:clinic-a" }, "NAME"],
    ["its URI is spelled otherwise", { uri: "urn:photinus:test:site:clinic%2Da" }, "NAME"],
    ["its URI has a role that does not exist", { uri: "urn:photinus:test:root:clinic-a" }, "NAME"],
    ["its URI is a web address", { uri: "https://example.org/" }, "NAME"],
    ["it may serve only", { purposes: [OID.serverAuth] }, "PURPOSE"],
    ["it says no purpose", { purposes: [] }, "PURPOSE"],
    ["it may not sign", { keyUsage: ["cRLSign"] }, "PURPOSE"],
    ["it may issue certificates by key usage", { keyUsage: ["digitalSignature", "keyCertSign"] }, "PURPOSE"],
    ["it may sign revocation lists", { keyUsage: ["digitalSignature", "cRLSign"] }, "PURPOSE"],
    ["its purpose is any purpose", { purposes: ["2.5.29.37.0"] }, "PURPOSE"],
    ["it is a CA", { authority: {} }, "PURPOSE"],
  ];

  test.each(cases)("%s", async (_name, changes, code) => {
    const { der } = await sign(site(changes), project.root);

    await expect(verify([der])).rejects.toMatchObject({ code: `ERR_CERTIFICATE_${code}` });
  });

  test("it has no names beside the subject", async () => {
    const { uri, ...unnamed } = site();
    const { der } = await sign(unnamed, project.root);

    expect(uri).toBeDefined();
    await expect(verify([der])).rejects.toMatchObject({ code: "ERR_CERTIFICATE_NAME" });
  });

  test("a server's has both purposes and is used as a client's", async () => {
    const { der } = await sign(
      site({
        subject: { organization: "example", organizationalUnit: "server", commonName: "hub" },
        uri: "urn:photinus:test:server:hub",
        purposes: [OID.serverAuth, OID.clientAuth],
      }),
      project.root,
    );

    await expect(verify([der], "client")).rejects.toMatchObject({ code: "ERR_CERTIFICATE_PURPOSE" });
    expect((await verify([der], "server")).participant.role).toBe("server");
  });
});

describe("under the enrolment CA", () => {
  const inviteDigest = new Uint8Array(32).fill(1);

  test("a server is refused, and so is a user, whatever the usage", async () => {
    const roles = [
      ["server", "hub", OID.serverAuth],
      ["project_admin", "eve@example.org", OID.clientAuth],
    ] as const;
    for (const [role, name, purpose] of roles) {
      const { der } = await sign(
        site({
          subject: { organization: "example", organizationalUnit: role, commonName: name },
          uri: `urn:photinus:test:${role}:${encodeURIComponent(name)}`,
          purposes: [purpose],
          inviteDigest,
        }),
        project.enrolmentCa,
      );
      for (const usage of ["client", "server", "signer"] as const) {
        await expect(verify([der, project.enrolmentCa.certificate.der], usage)).rejects.toMatchObject({
          code: "ERR_CERTIFICATE_PURPOSE",
        });
      }
    }
  });

  test("a site without the digest of an invite is refused", async () => {
    const { der } = await sign(site(), project.enrolmentCa);

    await expect(verify([der, project.enrolmentCa.certificate.der])).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_PURPOSE",
    });
  });

  test("another CA is refused: its path length is 0", async () => {
    const key = await crypto.generateSigningKey(1);
    const certificate = await sign(
      site({
        publicKey: key.publicKey,
        authority: {},
        keyUsage: ["keyCertSign"],
        uri: "urn:photinus:test:enrol",
      }),
      project.enrolmentCa,
    );
    const leaf = await sign(site({ inviteDigest }), { certificate, key });

    await expect(
      verify([leaf.der, certificate.der, project.enrolmentCa.certificate.der]),
    ).rejects.toMatchObject({ code: "ERR_CERTIFICATE_UNTRUSTED" });
  });
});

describe("an issuer is refused when", () => {
  async function under(changes: Partial<CertificateTemplate>): Promise<readonly Bytes[]> {
    const key = await crypto.generateSigningKey(1);
    const { purposes, ...plain } = site({ publicKey: key.publicKey, keyUsage: ["keyCertSign"] });
    const certificate = await sign({ ...plain, authority: { pathLength: 0 }, ...changes }, project.root);
    const leaf = await sign(site({ inviteDigest: new Uint8Array(32) }), { certificate, key });
    expect(purposes).toBeDefined();
    return [leaf.der, certificate.der];
  }
  const enrol = "urn:photinus:test:enrol";

  test("it is a CA, but not the enrolment CA", async () => {
    await expect(verify(await under({ uri: "urn:photinus:test:issuing" }))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNTRUSTED",
    });
  });

  test("it is the enrolment CA of another project", async () => {
    await expect(verify(await under({ uri: "urn:photinus:other:enrol" }))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNTRUSTED",
    });
  });

  test("it may not sign certificates", async () => {
    await expect(verify(await under({ uri: enrol, keyUsage: ["cRLSign"] }))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_UNTRUSTED",
    });
  });

  test("it has expired, though the leaf has not", async () => {
    const notAfterMs = TEST_EPOCH_MS - 1000;

    await expect(verify(await under({ uri: enrol, notAfterMs }))).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_EXPIRED",
    });
  });

  test("its name is the enrolment CA's and its key is not", async () => {
    const key = await crypto.generateSigningKey(1);
    const { der } = await sign(site({ inviteDigest: new Uint8Array(32) }), {
      certificate: project.enrolmentCa.certificate,
      key,
    });

    await expect(verify([der, project.enrolmentCa.certificate.der])).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_SIGNATURE",
    });
  });
});

describe("of the two ECDSA signatures that verify", () => {
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

  /** The certificate with n - s in place of s: anybody can make it. */
  function twinOf(der: Bytes): Bytes {
    const [tbs, algorithm, signature] = derChildren(der);
    if (!tbs || !algorithm || !signature) throw new RangeError("not a certificate");
    const [r, s] = derChildren(derContent(signature, 3).subarray(1));
    if (!r || !s) throw new RangeError("not an ECDSA signature");
    const other = ORDER - BigInt(`0x${toHex(derContent(s, 2))}`);
    const digits = fromHex(other.toString(16).padStart(64, "0"));
    return sequence(tbs, algorithm, bitString(sequence(r, integer(digits))));
  }

  test("either is accepted, and both are the same certificate by its digest", async () => {
    const good = await sign(site(), project.root);
    const twin = twinOf(good.der);

    const verified = await verify([twin]);

    expect(equalBytes(twin, good.der)).toBe(false);
    expect(verified.participant.leafDigest).toEqual(good.digest);
    expect(verified.participant.chain).toEqual([good.der]);
  });

  test("TLS may present either: they are told to be one certificate, and no other is", async () => {
    const good = await sign(site(), project.root);
    const another = await sign(site(), project.root);

    expect(isSameCertificate(twinOf(good.der), good.der)).toBe(true);
    expect(isSameCertificate(another.der, good.der)).toBe(false); // its serial number
    for (const broken of [new Uint8Array(0), good.der.slice(1), good.der.slice(0, -1), Uint8Array.of(5, 0)]) {
      expect(isSameCertificate(broken, good.der)).toBe(false);
      expect(isSameCertificate(broken, broken)).toBe(false);
    }
  });

  test("the same holds for an authority of the chain", async () => {
    const { participant } = await project.enrol("guest-1");
    const [leaf = new Uint8Array(), authority = new Uint8Array()] = participant.chain;

    const verified = await verify([twinOf(leaf), twinOf(authority)]);

    expect(verified.participant.chain).toEqual([leaf, authority]);
  });

  test("a third is refused", async () => {
    const { der } = await sign(site(), project.root);
    const altered = twinOf(der);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;

    await expect(verify([altered])).rejects.toMatchObject({ code: "ERR_CERTIFICATE_SIGNATURE" });
  });
});

describe("a root of", () => {
  test.each([
    ["P-384", 3],
    ["RSA-PSS 3072", 2],
  ] as const)(
    "%s issues chains that are accepted, and refused under another of its kind",
    async (_name, algorithm) => {
      const make = async (): Promise<{ certificate: Certificate; key: SigningKey }> => {
        const key = await crypto.generateSigningKey(algorithm);
        const { uri, purposes, ...root } = site({
          publicKey: key.publicKey,
          authority: {},
          keyUsage: ["keyCertSign"],
        });
        expect([uri, purposes]).toHaveLength(2);
        return { certificate: await sign(root, { key }), key };
      };
      const [one, other] = [await make(), await make()];
      const { der } = await sign(site(), one);
      const expectations = { project: "test", usage: "client", nowMs: TEST_EPOCH_MS } as const;

      await expect(
        verifyChain([der], { ...expectations, root: one.certificate.der }, { crypto }),
      ).resolves.toBeDefined();
      await expect(
        verifyChain([der], { ...expectations, root: other.certificate.der }, { crypto }),
      ).rejects.toMatchObject({ code: "ERR_CERTIFICATE_UNTRUSTED" });
    },
  );
});
