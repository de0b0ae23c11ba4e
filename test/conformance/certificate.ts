import { type KeyObject, X509Certificate } from "node:crypto";
import { der, valuesOf } from "./der.ts";
import { sha256 } from "./primitives.ts";
import { demand } from "./refused.ts";

/** Who a certificate is of. */
export interface Holder {
  readonly project: string;
  readonly role: string;
  readonly name: string;
  readonly org: string;
  readonly key: KeyObject;
  /** SHA-256 of the leaf with the smaller s. */
  readonly leafDigest: Buffer;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly keyId: Buffer;
}

/** What is demanded of a chain. */
export interface Trust {
  readonly project: string;
  /** DER. */
  readonly root: Buffer;
  readonly nowMs: number;
}

const AUTH_FAILED = 4003;
const PURPOSE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

/** Who the leaf of a chain is of, after the chain was verified up to the pinned root: [W-15]. */
export function verifyChain(chain: readonly Buffer[], { project, root, nowMs }: Trust): Holder {
  const [leaf, ...issuers] = chain.map((der) => new X509Certificate(der));
  demand(leaf !== undefined, AUTH_FAILED, "an empty chain");
  const path = [leaf, ...issuers, new X509Certificate(root)];
  for (const [index, certificate] of path.entries()) {
    const issuer = path[index + 1] ?? certificate;
    demand(
      certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey),
      AUTH_FAILED,
      "not issued by the next",
    );
    demand(index === 0 || certificate.ca, AUTH_FAILED, "an issuer that is no CA");
    const isValid = Date.parse(certificate.validFrom) <= nowMs && nowMs <= Date.parse(certificate.validTo);
    demand(isValid, AUTH_FAILED, "a certificate out of its time");
  }
  const holder = holderOf(leaf, path[1] ?? leaf);
  demand(holder.project === project, AUTH_FAILED, "a certificate of another project");
  demand(issuers.length === 0 || holder.role === "site", AUTH_FAILED, "only sites enrol");
  const purpose = holder.role === "server" ? PURPOSE.server : PURPOSE.client;
  demand(leaf.keyUsage.includes(purpose), AUTH_FAILED, "a certificate for another purpose");
  return holder;
}

function holderOf(leaf: X509Certificate, { publicKey: issuer }: X509Certificate): Holder {
  const uri = /URI:urn:photinus:([^:,]+):([^:,]+):([^:,]+)/.exec(leaf.subjectAltName ?? "");
  demand(uri !== null, AUTH_FAILED, "a certificate without a name of Photinus");
  const [, project = "", role = "", name = ""] = uri;
  const org = /^O=(.+)$/m.exec(leaf.subject)?.[1] ?? "";
  const spki = leaf.publicKey.export({ format: "der", type: "spki" });
  return {
    project,
    role,
    name: decodeURIComponent(name),
    org,
    key: leaf.publicKey,
    leafDigest: digestOf(leaf.raw, issuer),
    keyId: sha256(spki),
  };
}

const ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1:
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

/** The digest of a certificate: an ECDSA signature counts with the smaller of the two values of s that verify. */
export function digestOf(certificate: Buffer, issuer: KeyObject): Buffer {
  const order = ORDERS[issuer.asymmetricKeyDetails?.namedCurve ?? ""];
  const [tbs, algorithm, signature] = valuesOf(valuesOf(certificate)[0]?.content ?? certificate);
  const [r, s] =
    order === undefined
      ? []
      : valuesOf(valuesOf(signature?.content.subarray(1) ?? certificate)[0]?.content ?? certificate);
  if (
    tbs === undefined ||
    algorithm === undefined ||
    order === undefined ||
    r === undefined ||
    s === undefined
  ) {
    return sha256(certificate); // RSA
  }
  const value = BigInt(`0x${s.content.toString("hex")}`);
  const low = 2n * value > order ? order - value : value;
  const pair = der(0x30, r.whole, integerOf(low));
  return sha256(der(0x30, tbs.whole, algorithm.whole, der(0x03, Buffer.of(0), pair)));
}

function integerOf(value: bigint): Buffer {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  const sign = Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? "00" : "";
  return der(0x02, Buffer.from(sign + even, "hex"));
}
