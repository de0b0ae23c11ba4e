import { type Bytes, fromBase64, toHex } from "@photinus/core/bytes";
import { PkiError } from "@photinus/core/errors";
import {
  type Certificate,
  type FormRules,
  findValidPath,
  GENERAL_PATH_RULES,
  listedRevocation,
  loadPki,
  type PathRules,
  PHOTINUS_PATH_RULES,
  parseCertificate,
  parseRevocationList,
  type RevocationList,
  STRICT_FORM,
  TOLERANT_FORM,
} from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import type { OctetString } from "asn1js";
import type { Certificate as PkijsCertificate } from "pkijs";
import { describe, expect, test } from "vitest";
import { OID } from "../../src/pki/object-identifiers.ts";
import pkits from "../vectors/pkits.json" with { type: "json" };

// NIST Public Key Interoperability Test Suite (PKITS), csrc.nist.gov/projects/pki-testing, a work of the US government:
// the cases of version 1.0.1 that concern what is not policy, delta or indirect. Each file is in DER.

const crypto = webCrypto();
const nowMs = Date.parse(pkits.validationTime);
const files: Readonly<Record<string, string>> = pkits.files;

interface PkitsCase {
  readonly id: string;
  readonly leaf: string;
  readonly intermediates: readonly string[];
  readonly crls: readonly string[];
  readonly trust: string;
  readonly expected: string;
}

function file(name: string): Bytes {
  const text = files[name];
  if (text === undefined) throw new RangeError(`no file ${name}`);
  return fromBase64(text);
}

/** A list that is refused by itself counts as none, as a relying party would have none. */
async function listOrNone(name: string): Promise<readonly RevocationList[]> {
  try {
    return [await parseRevocationList(file(name), { crypto })];
  } catch (error) {
    if (error instanceof PkiError) return [];
    throw error;
  }
}

interface Judgement {
  readonly form: FormRules;
  readonly rules: PathRules;
}

/** Step one of path validation. @returns "valid" or the code of the refusal */
async function judge(one: PkitsCase, { form, rules }: Judgement): Promise<string> {
  try {
    const parse = (name: string): Promise<Certificate> => parseCertificate(file(name), { crypto }, form);
    const anchor = await parse(one.trust);
    const authorities = await Promise.all(one.intermediates.map(parse));
    const lists = (await Promise.all(one.crls.map(listOrNone))).flat();
    const material = { anchor, authorities, rules };
    const revocation = listedRevocation({ ...material, lists }, { crypto });
    await findValidPath(await parse(one.leaf), { ...material, nowMs, revocation }, { crypto });
    return "valid";
  } catch (error) {
    if (error instanceof PkiError) return error.code;
    throw error;
  }
}

/** Why each invalid case is refused: a refusal for another reason would prove nothing. */
const REASONS: Readonly<Record<string, string>> = {
  "40102": "ERR_CERTIFICATE_MALFORMED", // the signature is not whole bytes
  "40103": "ERR_CERTIFICATE_SIGNATURE",
  "40201": "ERR_CERTIFICATE_NOT_YET_VALID",
  "40202": "ERR_CERTIFICATE_NOT_YET_VALID",
  "40205": "ERR_CERTIFICATE_EXPIRED",
  "40206": "ERR_CERTIFICATE_EXPIRED",
  "40207": "ERR_CERTIFICATE_EXPIRED",
  "40401": "ERR_CRL_MISSING",
  "40402": "ERR_REVOKED",
  "40403": "ERR_REVOKED",
  "40404": "ERR_CRL_MISSING",
  "40405": "ERR_CRL_MISSING",
  "40406": "ERR_CRL_MISSING",
  "40408": "ERR_CRL_MISSING",
  "40409": "ERR_CRL_MISSING",
  "40410": "ERR_CRL_MISSING",
  "40411": "ERR_CRL_MISSING",
  "40412": "ERR_CRL_MISSING",
  "40415": "ERR_REVOKED",
  "40418": "ERR_REVOKED",
  "40420": "ERR_REVOKED",
  "40421": "ERR_CRL_MISSING", // the signer of the list is revoked
  "40601": "ERR_CERTIFICATE_UNTRUSTED",
  "40602": "ERR_CERTIFICATE_UNTRUSTED",
  "40603": "ERR_CERTIFICATE_UNTRUSTED",
  "40605": "ERR_CERTIFICATE_UNTRUSTED",
  "40606": "ERR_CERTIFICATE_UNTRUSTED",
  "40609": "ERR_CERTIFICATE_UNTRUSTED",
  "40610": "ERR_CERTIFICATE_UNTRUSTED",
  "40611": "ERR_CERTIFICATE_UNTRUSTED",
  "40612": "ERR_CERTIFICATE_UNTRUSTED",
  "40616": "ERR_CERTIFICATE_UNTRUSTED",
  "40701": "ERR_CERTIFICATE_UNTRUSTED",
  "40702": "ERR_CERTIFICATE_UNTRUSTED",
  "40704": "ERR_CRL_MISSING",
  "40705": "ERR_CRL_MISSING",
  "41602": "ERR_CERTIFICATE_UNSUPPORTED",
};

const numberOf = ({ id }: PkitsCase): string => id.slice(0, 5);

describe("PKITS", () => {
  test("has all its cases here, each invalid one with its reason", () => {
    const invalid = pkits.cases.filter(({ expected }) => expected === "invalid").map(numberOf);

    expect(pkits.cases).toHaveLength(65);
    expect(invalid).toEqual(Object.keys(REASONS));
  });

  test.each(pkits.cases)("$id is $expected", async (one) => {
    const verdict = one.expected === "valid" ? "valid" : REASONS[numberOf(one)];

    expect(await judge(one, { form: TOLERANT_FORM, rules: GENERAL_PATH_RULES })).toBe(verdict);
  });

  test("is judged the same in the strict form, but for what RFC 5280 forbids issuers", async () => {
    const other: string[] = [];
    for (const one of pkits.cases) {
      const verdict = await judge(one, { form: STRICT_FORM, rules: GENERAL_PATH_RULES });
      if ((verdict === "valid") !== (one.expected === "valid")) other.push(`${numberOf(one)} ${verdict}`);
    }

    // GeneralizedTime before 2050, and unique identifiers.
    expect(other).toEqual(["40204 ERR_CERTIFICATE_MALFORMED", "40306 ERR_CERTIFICATE_MALFORMED"]);
  });

  test("has no case that is valid by the algorithms of Photinus", async () => {
    const rules = { ...GENERAL_PATH_RULES, schemes: PHOTINUS_PATH_RULES.schemes };
    const verdicts = await Promise.all(
      pkits.cases
        .filter(({ expected }) => expected === "valid")
        .map((one) => judge(one, { form: TOLERANT_FORM, rules })),
    );

    expect(new Set(verdicts)).toEqual(new Set(["ERR_CERTIFICATE_UNSUPPORTED"]));
  });

  test("has paths of six certificates, which a depth of five refuses", async () => {
    const rules = { ...GENERAL_PATH_RULES, maximumDepth: 5 };
    const deep = pkits.cases.filter((one) => ["40613", "40614"].includes(numberOf(one)));

    expect(deep).toHaveLength(2);
    for (const one of deep) {
      expect(await judge(one, { form: TOLERANT_FORM, rules })).toBe("ERR_CERTIFICATE_UNTRUSTED");
    }
  });

  test("is refused without lists: what is not known is not good", async () => {
    const [first] = pkits.cases;
    if (first === undefined) throw new RangeError("no cases");

    const verdict = await judge({ ...first, crls: [] }, { form: TOLERANT_FORM, rules: GENERAL_PATH_RULES });

    expect(verdict).toBe("ERR_CRL_MISSING");
  });
});

describe("pkijs reads", () => {
  const names = Object.keys(files).filter((name) => name.startsWith("certs/"));

  test.each(names)("%s as it is read here", async (name) => {
    const der = file(name);
    let own: Certificate;
    try {
      own = await parseCertificate(der, { crypto }, TOLERANT_FORM);
    } catch (error) {
      expect(error).toBeInstanceOf(PkiError);
      expect([
        "certs/BadSignedCACert.crt",
        "certs/InvalidUnknownCriticalCertificateExtensionTest2EE.crt",
      ]).toContain(name);
      return;
    }
    const { pkijs } = await loadPki();

    const other = pkijs.Certificate.fromBER(der);

    expect(own.notBeforeMs).toBe(other.notBefore.value.getTime());
    expect(own.notAfterMs).toBe(other.notAfter.value.getTime());
    expect(own.serialNumber).toEqual(new Uint8Array(other.serialNumber.valueBlock.valueHexView));
    expect(own.subject.der).toEqual(new Uint8Array(other.subject.toSchema().toBER()));
    expect(own.publicKey.spki).toEqual(new Uint8Array(other.subjectPublicKeyInfo.toSchema().toBER()));
    expect(readByPkijs(other)).toEqual({
      isAuthority: own.extensions.authority !== undefined,
      pathLength: own.extensions.authority?.pathLength,
      subjectKey: hexOf(own.extensions.subjectKeyIdentifier),
      authorityKey: hexOf(own.extensions.authorityKeyIdentifier),
    });
  });

  function hexOf(bytes: Uint8Array | undefined): string | undefined {
    return bytes === undefined ? undefined : toHex(bytes);
  }

  function readByPkijs({ extensions = [] }: PkijsCertificate) {
    const parsed = (type: string): unknown => extensions.find(({ extnID }) => extnID === type)?.parsedValue;
    const constraints = parsed(OID.basicConstraints) as
      | { cA: boolean; pathLenConstraint?: number }
      | undefined;
    const subjectKey = parsed(OID.subjectKeyIdentifier) as OctetString | undefined;
    const authorityKey = parsed(OID.authorityKeyIdentifier) as { keyIdentifier?: OctetString } | undefined;
    return {
      isAuthority: constraints?.cA ?? false,
      pathLength: constraints?.pathLenConstraint,
      subjectKey: hexOf(subjectKey?.valueBlock.valueHexView),
      authorityKey: hexOf(authorityKey?.keyIdentifier?.valueBlock.valueHexView),
    };
  }
});
