import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";
import { beforeAll, describe, test } from "vitest";
import {
  bitString,
  explicit,
  integer,
  NULL,
  objectIdentifier,
  octetString,
  sequence,
  TRUE,
  tlv,
} from "../../src/pki/der-writer.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import { extension, type Forgery } from "./forge.ts";
import { added, type ForgedSite, field, forgedSite, URN } from "./forged-site.ts";
import { dns, uri } from "./general-names.ts";

type Case = readonly [string, Forgery, "MALFORMED" | "UNSUPPORTED"];

let site: ForgedSite;

beforeAll(async () => {
  site = await forgedSite();
});

describe("extensions", () => {
  const policies = sequence(sequence(objectIdentifier("2.5.29.32.0")));

  test.each<readonly [string, Bytes]>([
    ["unknown and not critical", extension("1.2.3.4", utf8("x"))],
    ["unknown, whose content is not even DER", extension("1.2.3.4", Uint8Array.of(0x30, 0x80, 0, 0))],
    ["policies, not critical", extension(OID.certificatePolicies, policies)],
    ["distribution points, not critical", extension("2.5.29.31", sequence())],
    [
      "the digest of an invite, critical",
      extension(OID.inviteDigest, octetString(new Uint8Array(32)), "critical"),
    ],
    ["mutual TLS", extension(OID.mutualTls, NULL)],
  ])("are accepted: %s", async (_name, der) => {
    await site.isAccepted(added(der));
  });

  test.each<Case>([
    ["unknown and critical", added(extension("1.2.3.4", utf8("x"), "critical")), "UNSUPPORTED"],
    [
      "policies that are critical",
      added(extension(OID.certificatePolicies, policies, "critical")),
      "UNSUPPORTED",
    ],
    [
      "distribution points that are critical",
      added(extension("2.5.29.31", sequence(), "critical")),
      "UNSUPPORTED",
    ],
    ["policy constraints", added(extension(OID.policyConstraints, sequence())), "UNSUPPORTED"],
    ["policy mappings", added(extension(OID.policyMappings, sequence())), "UNSUPPORTED"],
    ["inhibited policies", added(extension(OID.inhibitAnyPolicy, integer(0))), "UNSUPPORTED"],
    [
      "inhibited policies, critical",
      added(extension(OID.inhibitAnyPolicy, integer(0), "critical")),
      "UNSUPPORTED",
    ],
    ["two of one type", added(extension("1.2.3.4", utf8("x")), extension("1.2.3.4", utf8("y"))), "MALFORMED"],
    ["none at all", field(7, explicit(3, sequence())), "MALFORMED"],
    ["more than a reader bears", added(...manyExtensions(60)), "MALFORMED"],
    [
      "a default that is written out",
      added(sequence(objectIdentifier("1.2.3.4"), Uint8Array.of(1, 1, 0), octetString(utf8("x")))),
      "MALFORMED",
    ],
    [
      "something behind the value",
      added(sequence(objectIdentifier("1.2.3.4"), TRUE, octetString(utf8("x")), NULL)),
      "MALFORMED",
    ],
    ["without a value", added(sequence(objectIdentifier("1.2.3.4"))), "MALFORMED"],
    ["a value that is not DER", added(extension(OID.inviteDigest, utf8("x"))), "MALFORMED"],
    [
      "a value with bytes after it",
      added(extension(OID.inviteDigest, concatBytes(octetString(new Uint8Array(32)), Uint8Array.of(0)))),
      "MALFORMED",
    ],
    [
      "the digest of an invite of 31 bytes",
      added(extension(OID.inviteDigest, octetString(new Uint8Array(31)))),
      "MALFORMED",
    ],
    ["mutual TLS that is not stated by NULL", added(extension(OID.mutualTls, TRUE)), "MALFORMED"],
    [
      "a CA that is written not to be one",
      added(extension(OID.basicConstraints, sequence(Uint8Array.of(1, 1, 0)))),
      "MALFORMED",
    ],
    ["a path length without a CA", added(extension(OID.basicConstraints, sequence(integer(0)))), "MALFORMED"],
    [
      "a negative path length",
      added(extension(OID.basicConstraints, sequence(TRUE, tlv(2, Uint8Array.of(0x80))))),
      "MALFORMED",
    ],
    [
      "a path length beyond all measure",
      added(extension(OID.basicConstraints, sequence(TRUE, integer(new Uint8Array(5).fill(1))))),
      "MALFORMED",
    ],
    [
      "a third basic constraint",
      added(extension(OID.basicConstraints, sequence(TRUE, integer(0), integer(0)))),
      "MALFORMED",
    ],
    ["a key without any use", added(extension(OID.keyUsage, bitString(new Uint8Array()))), "MALFORMED"],
    [
      "key usage with zeros at its end",
      added(extension(OID.keyUsage, bitString(Uint8Array.of(0x80), 0))),
      "MALFORMED",
    ],
    [
      "key usage of more bits than there are",
      added(extension(OID.keyUsage, bitString(new Uint8Array(3).fill(0xff)))),
      "MALFORMED",
    ],
    ["an empty list of purposes", added(extension(OID.extendedKeyUsage, sequence())), "MALFORMED"],
    [
      "more names than a reader bears",
      added(
        extension(OID.subjectAltName, sequence(uri(URN), ...Array.from({ length: 256 }, () => dns("a")))),
      ),
      "MALFORMED",
    ],
    ["an empty list of names", added(extension(OID.subjectAltName, sequence())), "MALFORMED"],
    [
      "a name with a NUL",
      added(extension(OID.subjectAltName, sequence(uri(URN), dns("a.org\0.b.org")))),
      "MALFORMED",
    ],
    ["a name that is not ASCII", added(extension(OID.subjectAltName, sequence(uri(`${URN}é`)))), "MALFORMED"],
    [
      "a name of a kind that does not exist",
      added(extension(OID.subjectAltName, sequence(uri(URN), tlv(0x8a)))),
      "MALFORMED",
    ],
    [
      "an address of five bytes",
      added(extension(OID.subjectAltName, sequence(uri(URN), tlv(0x87, new Uint8Array(5))))),
      "MALFORMED",
    ],
  ])("are refused: %s", async (_name, forgery, code) => {
    await site.isRefused(forgery, code);
  });

  function manyExtensions(count: number): readonly Bytes[] {
    return Array.from({ length: count }, (_, index) => extension(`1.2.3.${index}`, utf8("x")));
  }
});

test.each<readonly [string, Bytes]>([
  ["two URIs", sequence(uri(URN), uri(URN))],
  ["an e-mail address beside the URI", sequence(uri(URN), tlv(0x81, utf8("eve@example.org")))],
  ["a directory name beside the URI", sequence(uri(URN), explicit(4, sequence()))],
  ["a registered identifier beside the URI", sequence(uri(URN), tlv(0x88, Uint8Array.of(42)))],
])("a participant is not named by %s", async (_name, names) => {
  await site.isRefused(added(extension(OID.subjectAltName, names)), "NAME");
});
