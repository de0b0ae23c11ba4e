// Runs the openssl program, which only Node can.
import { existsSync, readFileSync } from "node:fs";
import { type Bytes, equalBytes, toBytes } from "@photinus/core/bytes";
import {
  issueParticipant,
  openCertificateRequest,
  parseCertificate,
  requireName,
  subjectOf,
  type VerifiedChain,
  verifyChain,
} from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenSsl, openSsl } from "./openssl.ts";

const crypto = webCrypto();
// openssl checks against and issues by the system's clock.
const nowMs = Date.now();
let openssl: OpenSsl;
let rootKey = "";

beforeAll(() => {
  openssl = openSsl();
});
afterAll(() => openssl.remove());

const CA =
  "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n";
const SITE = [
  "basicConstraints=critical,CA:FALSE",
  "keyUsage=critical,digitalSignature",
  "extendedKeyUsage=clientAuth",
  "subjectAltName=URI:urn:photinus:mnist:site:clinic-a",
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid:always",
  "",
].join("\n");

const CURVE = (name: string): readonly string[] => ["EC", "-pkeyopt", `ec_paramgen_curve:${name}`];
const RSA = (bits: number): readonly string[] => ["RSA", "-pkeyopt", `rsa_keygen_bits:${bits}`];
const PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];

const read = (name: string): Bytes => toBytes(readFileSync(openssl.path(name)));

/** The one key of its kind: RSA keys take a second each. @returns its path */
function keyOf(kind: readonly string[]): string {
  const path = openssl.path(`${kind.join("-").replaceAll(/[^A-Za-z0-9]/g, "")}.key`);
  if (!existsSync(path)) openssl.run("genpkey", "-algorithm", ...kind, "-out", path);
  return path;
}

/** A self-signed root that openssl made. @returns its DER */
function openSslRoot(kind: readonly string[], signing: readonly string[], limits = ""): Bytes {
  rootKey = keyOf(kind);
  const config = openssl.file(
    "root.cnf",
    `[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\n${CA}${limits}`,
  );
  openssl.run(
    ...["req", "-new", "-x509", "-key", rootKey, "-config", config, "-subj", "/C=CH/O=Custom/CN=custom root"],
    ...["-days", "30", ...signing, "-out", openssl.path("root.pem")],
  );
  openssl.run("x509", "-in", openssl.path("root.pem"), "-outform", "DER", "-out", openssl.path("root.der"));
  return read("root.der");
}

/** A site's certificate that the root issued by openssl. @returns its DER */
function openSslSite(kind: readonly string[], signing: readonly string[], extensions = SITE): Bytes {
  const key = keyOf(kind);
  openssl.run(
    ...["req", "-new", "-key", key, "-subj", "/O=example/OU=site/CN=clinic-a"],
    ...["-out", openssl.path("site.csr")],
  );
  return signed(openssl.path("site.csr"), signing, extensions);
}

function signed(request: string, signing: readonly string[], extensions: string): Bytes {
  openssl.run(
    ...["x509", "-req", "-in", request, "-CA", openssl.path("root.pem"), "-CAkey", rootKey],
    ...["-days", "7", "-extfile", openssl.file("site.ext", extensions), ...signing],
    ...["-outform", "DER", "-out", openssl.path("site.der")],
  );
  return read("site.der");
}

function verify(chain: readonly Bytes[], root: Bytes): Promise<VerifiedChain> {
  // The certificate is valid from this very second on.
  const later = nowMs + 60_000;
  return verifyChain(chain, { root, project: "mnist", usage: "client", nowMs: later }, { crypto });
}

describe.each<readonly [string, readonly string[], readonly string[]]>([
  ["P-384 with SHA-384", CURVE("P-384"), ["-sha384"]],
  ["P-384 with SHA-256, as openssl does by itself", CURVE("P-384"), []],
  ["P-256", CURVE("P-256"), []],
  ["RSA of 3072 bits with PSS", RSA(3072), PSS],
])("a root of openssl's, %s", (_name, kind, signing) => {
  test.each<readonly [string, readonly string[]]>([
    ["P-256", CURVE("P-256")],
    ["P-384", CURVE("P-384")],
    ["RSA of 2048 bits", RSA(2048)],
  ])("issues the certificate of a site with a key of %s", async (_key, siteKind) => {
    const root = openSslRoot(kind, signing);
    const site = openSslSite(siteKind, signing);

    const { participant, verifyingKey } = await verify([site], root);

    expect(participant).toMatchObject({ project: "mnist", role: "site", name: "clinic-a", org: "example" });
    expect(verifyingKey.algorithm).toBe(
      { EC: siteKind.includes("ec_paramgen_curve:P-256") ? 1 : 3, RSA: 2 }[siteKind[0] ?? ""],
    );
  });
});

describe("certificates of openssl's", () => {
  test("are accepted with either s, under the digest of the smaller", async () => {
    const root = openSslRoot(CURVE("P-256"), []);
    openSslSite(CURVE("P-256"), []);
    const kept = { asTheyCame: 0, inTheOtherForm: 0 };

    // openssl takes either with the same chance: forty of one kind happen once in 10^12.
    for (let round = 0; round < 40 && Math.min(kept.asTheyCame, kept.inTheOtherForm) === 0; round++) {
      const site = signed(openssl.path("site.csr"), [], SITE);
      const { participant } = await verify([site], root);
      const [leaf = site] = participant.chain;
      kept[equalBytes(leaf, site) ? "asTheyCame" : "inTheOtherForm"]++;
      expect(participant.leafDigest).toEqual(await crypto.sha256(leaf));
      expect((await verify([leaf], root)).participant.leafDigest).toEqual(participant.leafDigest);
      const file = openssl.file("leaf.der", leaf);
      expect(openssl.run("verify", "-x509_strict", "-CAfile", openssl.path("root.pem"), file)).toContain(
        "OK",
      );
    }

    expect(kept.asTheyCame).toBeGreaterThan(0);
    expect(kept.inTheOtherForm).toBeGreaterThan(0);
  });

  test.each<readonly [string, readonly string[], readonly string[], string]>([
    ["RSA of 1024 bits", RSA(1024), [], "UNSUPPORTED"],
    ["P-521", CURVE("P-521"), [], "UNSUPPORTED"],
    ["secp256k1", CURVE("secp256k1"), [], "UNSUPPORTED"],
    ["Ed25519", ["ED25519"], [], "UNSUPPORTED"],
    ["a signature with SHA-1", CURVE("P-256"), ["-sha1"], "UNSUPPORTED"],
  ])("are refused for %s", async (_name, kind, signing, code) => {
    const root = openSslRoot(CURVE("P-256"), []);
    const site = openSslSite(kind, signing);

    await expect(verify([site], root)).rejects.toMatchObject({ code: `ERR_CERTIFICATE_${code}` });
  });

  test("are refused when they are signed by RSASSA-PKCS1-v1_5, which openssl does by itself", async () => {
    const root = openSslRoot(RSA(2048), []);
    const site = openSslSite(CURVE("P-256"), []);

    await expect(verify([site], root)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_UNSUPPORTED" });
  });

  test("are refused with serial number 0, and without what a participant needs", async () => {
    const root = openSslRoot(CURVE("P-256"), []);
    const without = (line: string): string =>
      SITE.split("\n")
        .filter((one) => !one.startsWith(line))
        .join("\n");

    await expect(verify([openSslSite(CURVE("P-256"), ["-set_serial", "0"])], root)).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_MALFORMED",
    });
    for (const [line, code] of [
      ["keyUsage", "PURPOSE"],
      ["extendedKeyUsage", "PURPOSE"],
      ["subjectAltName", "NAME"],
    ] as const) {
      const site = openSslSite(CURVE("P-256"), [], without(line));
      await expect(verify([site], root), line).rejects.toMatchObject({ code: `ERR_CERTIFICATE_${code}` });
    }
  });

  test("may carry name constraints, in a root that openssl made, and are held to them", async () => {
    const limits = "nameConstraints=critical,permitted;dirName:limits\n[limits]\nO=example\n";
    const root = openSslRoot(CURVE("P-256"), [], limits);
    const ours = openSslSite(CURVE("P-256"), []);
    openssl.run(
      ...["req", "-new", "-key", keyOf(CURVE("P-256")), "-subj", "/O=other/OU=site/CN=clinic-a"],
      ...["-out", openssl.path("other.csr")],
    );
    const others = signed(openssl.path("other.csr"), [], SITE);

    await expect(verify([ours], root)).resolves.toBeDefined();
    await expect(verify([others], root)).rejects.toMatchObject({ code: "ERR_CERTIFICATE_CONSTRAINT" });
  });
});

test.each<readonly [string, readonly string[]]>([
  ["RSA of 1024 bits", RSA(1024)],
  ["P-521", CURVE("P-521")],
  ["secp256k1", CURVE("secp256k1")],
])("a request of openssl's for a key of %s is refused", async (_name, kind) => {
  const path = openssl.path("weak.csr");
  openssl.run("req", "-new", "-key", keyOf(kind), "-subj", "/CN=weak", "-outform", "DER", "-out", path);

  await expect(openCertificateRequest(read("weak.csr"), { crypto })).rejects.toMatchObject({
    code: "ERR_CERTIFICATE_UNSUPPORTED",
  });
});

test("an enrolment CA that openssl issued issues the certificates of sites here", async () => {
  const root = openSslRoot(CURVE("P-384"), ["-sha384"]);
  const enrolment = [
    "basicConstraints=critical,CA:TRUE,pathlen:0",
    "keyUsage=critical,keyCertSign,cRLSign",
    "subjectAltName=URI:urn:photinus:mnist:enrol",
    "subjectKeyIdentifier=hash",
    "",
  ].join("\n");
  const certificate = await parseCertificate(openSslSite(CURVE("P-256"), [], enrolment), { crypto });
  const path = openssl.path("pkcs8.der");
  openssl.run("pkcs8", "-topk8", "-nocrypt", "-in", keyOf(CURVE("P-256")), "-outform", "DER", "-out", path);
  const key = await crypto.importSigningKey(read("pkcs8.der"), certificate.publicKey.spki, 1);
  const { publicKey } = await crypto.generateSigningKey(1);
  const subject = subjectOf("mnist", "site", "clinic-a");
  if (subject === undefined) throw new RangeError("no such subject");

  const site = await issueParticipant(
    { subject, org: requireName("example", "org"), publicKey, inviteDigest: new Uint8Array(32), nowMs },
    { certificate, key },
    { crypto },
  );

  expect((await verify([site.der, certificate.der], root)).participant.name).toBe("clinic-a");
});
