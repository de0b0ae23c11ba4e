import { type Bytes, utf8 } from "@photinus/core/bytes";
import {
  type Certificate,
  GENERAL_PATH_RULES,
  type Issuer,
  parseCertificate,
  STRICT_FORM,
  validatePath,
  verifyChain,
} from "@photinus/core/pki";
import { type SigningKey, webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { explicit, objectIdentifier, sequence, setOf, tlv, utf8String } from "../../src/pki/der-writer.ts";
import type { NameParts } from "../../src/pki/distinguished-name.ts";
import type { CertificateTemplate } from "../../src/pki/encode-certificate.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import { extension, forge } from "./forge.ts";
import { address, constraints, directory, dns, mail, nameOf, type Subtrees, uri } from "./general-names.ts";

const crypto = webCrypto();
const DAY_MS = 86_400_000;
const validity = { notBeforeMs: TEST_EPOCH_MS - DAY_MS, notAfterMs: TEST_EPOCH_MS + DAY_MS };
let root: Certificate;
let rootKey: SigningKey;
let caKey: SigningKey;
let holderKey: SigningKey;
let project: TestProject;

beforeAll(async () => {
  project = await testProject({ sites: [], users: [] });
  [rootKey, caKey, holderKey] = await Promise.all([
    crypto.generateSigningKey(1),
    crypto.generateSigningKey(1),
    crypto.generateSigningKey(1),
  ]);
  root = await read(await forge(authority("root", rootKey), { key: rootKey }, { crypto }));
});

const read = (der: Bytes): Promise<Certificate> => parseCertificate(der, { crypto }, STRICT_FORM);

function authority(commonName: string, key: SigningKey): CertificateTemplate {
  return {
    subject: { organization: "example", commonName },
    publicKey: key.publicKey,
    ...validity,
    authority: {},
    keyUsage: ["keyCertSign"],
  };
}

interface Holder {
  readonly names?: readonly Bytes[];
  readonly subject?: NameParts | Bytes;
}

const HOLDER: NameParts = { organization: "example", commonName: "holder" };

/** Validates root, a CA with the extension, and a holder of the names. */
async function validate(extensionDer: Bytes, { names = [], subject = HOLDER }: Holder): Promise<unknown> {
  const ca = await forge(
    authority("ca", caKey),
    { certificate: root, key: rootKey },
    {
      crypto,
      extensions: [extensionDer],
    },
  );
  const certificate = await read(ca);
  const leaf = await leafOf({ certificate, key: caKey }, { names, subject });
  return await validatePath(
    [await read(leaf), certificate],
    { anchor: root, rules: GENERAL_PATH_RULES, nowMs: TEST_EPOCH_MS },
    { crypto },
  );
}

function leafOf(issuer: Issuer, { names = [], subject = HOLDER }: Holder): Promise<Bytes> {
  const parts = subject instanceof Uint8Array ? HOLDER : subject;
  return forge(
    { subject: parts, publicKey: holderKey.publicKey, ...validity, keyUsage: ["digitalSignature"] },
    issuer,
    {
      crypto,
      ...(names.length === 0 ? {} : { extensions: [extension(OID.subjectAltName, sequence(...names))] }),
      fields: (fields) => {
        if (subject instanceof Uint8Array) fields[5] = subject;
      },
    },
  );
}

const REFUSED = { code: "ERR_CERTIFICATE_CONSTRAINT" };

describe("names that a CA may give", () => {
  const host: Subtrees = { permitted: [dns("example.org")] };
  const box: Subtrees = { permitted: [mail("ada@example.org")] };
  const boxes: Subtrees = { permitted: [mail("example.org")] };
  const domain: Subtrees = { permitted: [mail(".example.org")] };
  const web: Subtrees = { permitted: [uri("example.org")] };
  const webs: Subtrees = { permitted: [uri(".example.org")] };
  const organization: Subtrees = { permitted: [directory({ organization: "example" })] };

  test.each<readonly [string, Subtrees, Holder]>([
    ["the host itself", host, { names: [dns("example.org")] }],
    ["a host below, in whatever case", host, { names: [dns("A.b.EXAMPLE.org")] }],
    ["a wildcard below", host, { names: [dns("*.example.org")] }],
    ["every host, of an empty subtree", { permitted: [dns("")] }, { names: [dns("example.org")] }],
    [
      "a host of the second of two subtrees",
      { permitted: [dns("a.org"), dns("b.org")] },
      { names: [dns("b.org")] },
    ],
    [
      "a host beside an excluded one",
      { excluded: [dns("a.example.org")] },
      { names: [dns("ba.example.org")] },
    ],
    [
      "names of a kind that is not named",
      host,
      { names: [mail("ada@other.org"), uri("https://other.org/")] },
    ],
    ["no names at all of that kind", host, {}],
    ["the mailbox", box, { names: [mail("ada@EXAMPLE.org")] }],
    ["a mailbox of the host", boxes, { names: [mail("bob@example.org")] }],
    ["a mailbox of a host in the domain", domain, { names: [mail("bob@mail.example.org")] }],
    ["a URI of the host", web, { names: [uri("https://user@example.org:8443/a?b@c#d")] }],
    ["a URI of a host in the domain", webs, { names: [uri("https://www.example.org/")] }],
    ["a subject of the organization", organization, {}],
    [
      "a subject that is written otherwise: case, spaces, another string type",
      {
        permitted: [
          explicit(
            4,
            sequence(setOf(sequence(objectIdentifier(OID.organization), tlv(19, utf8("EXAMPLE  co"))))),
          ),
        ],
      },
      { subject: { organization: " example Co ", commonName: "holder" } },
    ],
    [
      "a directory name beside the subject",
      organization,
      { names: [directory({ organization: "example", commonName: "x" })] },
    ],
  ])("%s", async (_name, subtrees, holder) => {
    await expect(validate(constraints(subtrees), holder)).resolves.toBeDefined();
  });

  test.each<readonly [string, Subtrees, Holder]>([
    ["another host", host, { names: [dns("example.com")] }],
    ["a host that only ends like it", host, { names: [dns("badexample.org")] }],
    ["the host above", { permitted: [dns("a.example.org")] }, { names: [dns("example.org")] }],
    ["one of two hosts", host, { names: [dns("example.org"), dns("other.org")] }],
    ["something that is no host name", host, { names: [dns("exa_mple..example.org")] }],
    ["the excluded host", { excluded: [dns("example.org")] }, { names: [dns("example.org")] }],
    ["a host below the excluded one", { excluded: [dns("example.org")] }, { names: [dns("a.example.org")] }],
    [
      "a host permitted and excluded",
      { ...host, excluded: [dns("a.example.org")] },
      { names: [dns("a.example.org")] },
    ],
    [
      "a wildcard that stands for an excluded host",
      { excluded: [dns("a.example.org")] },
      { names: [dns("*.example.org")] },
    ],
    ["any host, when an empty subtree is excluded", { excluded: [dns("")] }, { names: [dns("example.org")] }],
    ["another mailbox", box, { names: [mail("bob@example.org")] }],
    ["the mailbox in another case", box, { names: [mail("Ada@example.org")] }],
    ["a mailbox of a host below", boxes, { names: [mail("bob@mail.example.org")] }],
    ["a mailbox of the domain's own host", domain, { names: [mail("bob@example.org")] }],
    ["an address without a host", boxes, { names: [mail("example.org")] }],
    ["a URI of another host", web, { names: [uri("https://example.org.evil.com/")] }],
    ["a URI with the host in front of the @", web, { names: [uri("https://example.org@evil.com/")] }],
    ["a URI of a host below", web, { names: [uri("https://www.example.org/")] }],
    ["a URI of the domain's own host", webs, { names: [uri("https://example.org/")] }],
    ["a URI of an address", { excluded: [uri("example.org")] }, { names: [uri("https://192.0.2.1/")] }],
    [
      "a URI without a host",
      { excluded: [uri("example.org")] },
      { names: [uri("urn:photinus:test:site:a")] },
    ],
    [
      "a subject of another organization",
      organization,
      { subject: { organization: "other", commonName: "holder" } },
    ],
    [
      "a subject with the parts in another order",
      organization,
      { subject: nameOf({ commonName: "example" }) },
    ],
    ["a subject of the excluded organization", { excluded: [directory({ organization: "example" })] }, {}],
    ["a directory name beside the subject", organization, { names: [directory({ organization: "other" })] }],
    [
      "an e-mail address in the subject",
      boxes,
      {
        subject: sequence(setOf(sequence(objectIdentifier(OID.emailAddress), tlv(22, utf8("eve@evil.org"))))),
      },
    ],
  ])("are not: %s", async (_name, subtrees, holder) => {
    await expect(validate(constraints(subtrees), holder)).rejects.toMatchObject(REFUSED);
  });

  test("have to meet the constraints of every CA above", async () => {
    const upper = await forge(
      authority("upper", caKey),
      { certificate: root, key: rootKey },
      {
        crypto,
        extensions: [constraints({ permitted: [dns("example.org")] })],
      },
    );
    const lowerKey = await crypto.generateSigningKey(1);
    const lower = await forge(
      authority("lower", lowerKey),
      { certificate: await read(upper), key: caKey },
      {
        crypto,
        extensions: [constraints({ permitted: [dns("a.example.org"), dns("other.org")] })],
      },
    );
    const validateLeaf = async (name: string): Promise<unknown> => {
      const leaf = await leafOf({ certificate: await read(lower), key: lowerKey }, { names: [dns(name)] });
      const path = await Promise.all([leaf, lower, upper].map(read));
      return validatePath(
        path,
        { anchor: root, rules: GENERAL_PATH_RULES, nowMs: TEST_EPOCH_MS },
        { crypto },
      );
    };

    await expect(validateLeaf("a.example.org")).resolves.toBeDefined();
    await expect(validateLeaf("b.example.org")).rejects.toMatchObject(REFUSED);
    await expect(validateLeaf("other.org")).rejects.toMatchObject(REFUSED);
  });

  test("are those of a self-issued CA too, whose own name is not looked at", async () => {
    const ca = await forge(
      authority("ca", caKey),
      { certificate: root, key: rootKey },
      {
        crypto,
        extensions: [
          constraints({ permitted: [directory({ organization: "example", commonName: "holder" })] }),
        ],
      },
    );
    const freshKey = await crypto.generateSigningKey(1);
    const selfIssued = await forge(
      authority("ca", freshKey),
      { certificate: await read(ca), key: caKey },
      { crypto },
    );
    const issuer = { certificate: await read(selfIssued), key: freshKey };
    const validateLeaf = async (commonName: string): Promise<unknown> => {
      const leaf = await leafOf(issuer, { subject: { organization: "example", commonName } });
      const path = await Promise.all([leaf, selfIssued, ca].map(read));
      return validatePath(
        path,
        { anchor: root, rules: GENERAL_PATH_RULES, nowMs: TEST_EPOCH_MS },
        { crypto },
      );
    };

    await expect(validateLeaf("holder")).resolves.toBeDefined();
    await expect(validateLeaf("other")).rejects.toMatchObject(REFUSED);
  });
});

describe("constraints are refused when", () => {
  test.each<readonly [string, Bytes, string]>([
    [
      "a kind is not compared here: addresses",
      constraints({ permitted: [address(10, 0, 0, 0, 255, 0, 0, 0)] }),
      "UNSUPPORTED",
    ],
    [
      "a kind is not compared here: registered identifiers",
      constraints({ excluded: [tlv(0x88, Uint8Array.of(42, 3))] }),
      "UNSUPPORTED",
    ],
    [
      "a kind is not compared here: other names",
      constraints({ excluded: [explicit(0, objectIdentifier("1.2.3.4"), explicit(0, utf8String("x")))] }),
      "UNSUPPORTED",
    ],
    [
      "they have a distance",
      extension(
        OID.nameConstraints,
        sequence(explicit(0, sequence(dns("a.org"), tlv(0x80, Uint8Array.of(1))))),
        "critical",
      ),
      "UNSUPPORTED",
    ],
    ["they are empty", extension(OID.nameConstraints, sequence(), "critical"), "MALFORMED"],
    ["a list of them is empty", constraints({ permitted: [] }), "MALFORMED"],
    [
      "their lists are in the wrong order",
      extension(
        OID.nameConstraints,
        sequence(explicit(1, sequence(dns("a.org"))), explicit(0, sequence(dns("a.org")))),
      ),
      "MALFORMED",
    ],
    ["a host begins with a dot", constraints({ permitted: [dns(".example.org")] }), "MALFORMED"],
    ["a name holds a NUL", constraints({ permitted: [dns("example.org\0.evil.org")] }), "MALFORMED"],
    [
      "they are more than a reader bears",
      constraints({ excluded: Array.from({ length: 65 }, () => dns("a.org")) }),
      "MALFORMED",
    ],
  ])("%s", async (_name, der, code) => {
    await expect(validate(der, {})).rejects.toMatchObject({ code: `ERR_CERTIFICATE_${code}` });
  });

  test("nothing of it: where they are not critical, the kinds that are compared count", async () => {
    const mixed = constraints({ permitted: [address(10, 0, 0, 0, 255, 0, 0, 0), dns("example.org")] }, "");

    await expect(validate(mixed, { names: [dns("example.org")] })).resolves.toBeDefined();
    await expect(validate(mixed, { names: [dns("other.org")] })).rejects.toMatchObject(REFUSED);
  });
});

describe("in a project", () => {
  async function enrolledUnder(extensionDer: Bytes): Promise<unknown> {
    const key = await crypto.generateSigningKey(1);
    const template: CertificateTemplate = {
      ...authority("test enrolment", key),
      authority: { pathLength: 0 },
      uri: "urn:photinus:test:enrol",
    };
    const ca = await forge(template, project.root, { crypto, extensions: [extensionDer] });
    const leaf = await forge(
      {
        subject: { organization: "example", organizationalUnit: "site", commonName: "clinic-a" },
        publicKey: holderKey.publicKey,
        ...validity,
        uri: "urn:photinus:test:site:clinic-a",
        inviteDigest: new Uint8Array(32),
        keyUsage: ["digitalSignature"],
        purposes: [OID.clientAuth],
      },
      { certificate: await read(ca), key },
      { crypto },
    );
    return await verifyChain(
      [leaf, ca],
      { root: project.root.certificate.der, project: "test", usage: "client", nowMs: TEST_EPOCH_MS },
      { crypto },
    );
  }

  test("an enrolment CA may be held to one organization", async () => {
    await expect(
      enrolledUnder(constraints({ permitted: [directory({ organization: "example" })] })),
    ).resolves.toBeDefined();
    await expect(
      enrolledUnder(constraints({ permitted: [directory({ organization: "other" })] })),
    ).rejects.toMatchObject(REFUSED);
  });

  test("a constraint on URIs refuses all its sites: a URN has no host", async () => {
    await expect(enrolledUnder(constraints({ permitted: [uri("example.org")] }))).rejects.toMatchObject(
      REFUSED,
    );
  });
});
