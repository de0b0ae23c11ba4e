// Runs the openssl program, which only Node can.
import { readFileSync } from "node:fs";
import { type Bytes, toBytes, utf8 } from "@photinus/core/bytes";
import {
  createCertificateRequest,
  decodePem,
  encodePem,
  issueEnrolmentCa,
  issueParticipant,
  issueRoot,
  type Name,
  openCertificateRequest,
  openPrivateKey,
  requireName,
  type Subject,
  sealPrivateKey,
  signDetached,
  subjectOf,
} from "@photinus/core/pki";
import { type SignatureAlgorithm, webCrypto } from "@photinus/core/platform";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenSsl, openSsl } from "./openssl.ts";

const crypto = webCrypto();
// openssl checks against the system's clock.
const nowMs = Date.now();
const project: Name = requireName("mnist", "the project");
let openssl: OpenSsl;

beforeAll(() => {
  openssl = openSsl();
});
afterAll(() => openssl.remove());

function subject(role: string, name: string): Subject {
  const found = subjectOf(project, role, name);
  if (found === undefined) throw new Error("no such subject");
  return found;
}

async function authorities(algorithm: SignatureAlgorithm) {
  const rootKey = await crypto.generateSigningKey(algorithm);
  const root = { certificate: await issueRoot({ project, key: rootKey, nowMs }, { crypto }), key: rootKey };
  const caKey = await crypto.generateSigningKey(1);
  const certificate = await issueEnrolmentCa({ project, publicKey: caKey.publicKey, nowMs }, root, {
    crypto,
  });
  return { root, enrolment: { certificate, key: caKey } };
}

describe.each([
  ["ECDSA P-384", 3],
  ["RSA-PSS 3072", 2],
  ["ECDSA P-256", 1],
] as const)("openssl, with a root of %s", (_name, algorithm) => {
  test("accepts the chains of a server and of an enrolled site", async () => {
    const { root, enrolment } = await authorities(algorithm);
    const { publicKey } = await crypto.generateSigningKey(1);
    const org = requireName("example", "org");
    const hosts = ["localhost", "127.0.0.1", "::1"];
    const server = await issueParticipant(
      { subject: subject("server", "hub"), org, publicKey, hosts, nowMs },
      root,
      { crypto },
    );
    const site = await issueParticipant(
      { subject: subject("site", "guest-1"), org, publicKey, inviteDigest: new Uint8Array(32), nowMs },
      enrolment,
      { crypto },
    );
    const rootPem = openssl.file("root.pem", encodePem("CERTIFICATE", root.certificate.der));
    const caPem = openssl.file("ca.pem", encodePem("CERTIFICATE", enrolment.certificate.der));
    const serverPem = openssl.file("server.pem", encodePem("CERTIFICATE", server.der));
    const sitePem = openssl.file("site.pem", encodePem("CERTIFICATE", site.der));

    const strictly = ["-x509_strict", "-CAfile", rootPem];
    expect(openssl.run("verify", ...strictly, "-purpose", "sslserver", serverPem)).toContain("OK");
    expect(
      openssl.run("verify", ...strictly, "-purpose", "sslclient", "-untrusted", caPem, sitePem),
    ).toContain("OK");
    expect(() => openssl.run("verify", ...strictly, "-purpose", "sslclient", serverPem)).toThrow("purpose");
    const text = openssl.run("x509", "-in", serverPem, "-noout", "-text");
    expect(text).toContain("O = example, OU = server, CN = hub");
    expect(text).toContain(
      "URI:urn:photinus:mnist:server:hub, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    );
  });

  test("verifies a detached signature of the root, and not over other content", async () => {
    const { root } = await authorities(algorithm);
    const content = utf8('{"kit":1}\n');
    const signature = await signDetached(content, { ...root, nowMs }, { crypto });
    const rootPem = openssl.file("root.pem", encodePem("CERTIFICATE", root.certificate.der));
    const cms = openssl.file("manifest.p7s", encodePem("CMS", signature));
    const verify = (file: string) =>
      openssl.run(
        ...["cms", "-verify", "-inform", "PEM", "-in", cms, "-binary"],
        ...["-content", file, "-CAfile", rootPem, "-out", openssl.path("out")],
      );

    expect(verify(openssl.file("manifest.json", content))).toContain("successful");
    expect(() => verify(openssl.file("other.json", '{"kit":2}\n'))).toThrow("verification failure");
  });
});

describe("openssl", () => {
  async function exportable(): Promise<Bytes> {
    return crypto.exportSigningKey(await crypto.generateSigningKey(1, { extractable: true }));
  }

  test("opens a sealed private key by its passphrase", async () => {
    const pkcs8 = await exportable();
    const sealed = await sealPrivateKey(pkcs8, { passphrase: "correct horse", iterations: 2048 }, { crypto });
    const file = openssl.file("key.pem", encodePem("ENCRYPTED PRIVATE KEY", sealed));

    openssl.run(
      "pkey",
      "-in",
      file,
      "-passin",
      "pass:correct horse",
      "-outform",
      "DER",
      "-out",
      openssl.path("key.der"),
    );
    expect(() => openssl.run("pkey", "-in", file, "-passin", "pass:wrong", "-noout")).toThrow();

    openssl.run(
      "pkcs8",
      "-topk8",
      "-nocrypt",
      "-inform",
      "DER",
      "-in",
      openssl.path("key.der"),
      "-outform",
      "DER",
      "-out",
      openssl.path("p8.der"),
    );
    expect(toBytes(readFileSync(openssl.path("p8.der")))).toEqual(pkcs8);
  });

  test("seals a private key that is opened here", async () => {
    const pkcs8 = await exportable();
    const plain = openssl.file("plain.der", pkcs8);
    openssl.run(
      "pkcs8",
      "-topk8",
      "-v2",
      "aes-256-cbc",
      "-v2prf",
      "hmacWithSHA256",
      "-inform",
      "DER",
      "-in",
      plain,
      "-passout",
      "pass:secret",
      "-out",
      openssl.path("sealed.pem"),
    );

    const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", toBytes(readFileSync(openssl.path("sealed.pem"))));

    expect(await openPrivateKey(sealed ?? new Uint8Array(), "secret", { crypto })).toEqual(pkcs8);
  });

  test("reads a certificate request, and one of its own is opened here", async () => {
    const key = await crypto.generateSigningKey(1);
    const request = await createCertificateRequest({ commonName: "clinic-a" }, key, { crypto });
    const file = openssl.file("request.pem", encodePem("CERTIFICATE REQUEST", request));

    expect(openssl.run("req", "-in", file, "-verify", "-noout")).toContain("verify OK");

    openssl.run(
      "req",
      "-new",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=other",
      "-keyout",
      openssl.path("new.key"),
      "-outform",
      "DER",
      "-out",
      openssl.path("new.csr"),
    );
    const opened = await openCertificateRequest(toBytes(readFileSync(openssl.path("new.csr"))), { crypto });
    expect(opened).toMatchObject({ algorithm: 1, subject: { commonName: "other" } });
  });
});
