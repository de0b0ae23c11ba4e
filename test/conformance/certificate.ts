import { type KeyObject, X509Certificate } from "node:crypto";
import { sha256 } from "./primitives.ts";
import { demand } from "./refused.ts";

/** Who a certificate is of. */
export interface Holder {
  readonly project: string;
  readonly role: string;
  readonly name: string;
  readonly org: string;
  readonly key: KeyObject;
  /** SHA-256 of the leaf. */
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
  const holder = holderOf(leaf);
  demand(holder.project === project, AUTH_FAILED, "a certificate of another project");
  demand(issuers.length === 0 || holder.role === "site", AUTH_FAILED, "only sites enrol");
  const purpose = holder.role === "server" ? PURPOSE.server : PURPOSE.client;
  demand(leaf.keyUsage.includes(purpose), AUTH_FAILED, "a certificate for another purpose");
  return holder;
}

function holderOf(leaf: X509Certificate): Holder {
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
    leafDigest: sha256(leaf.raw),
    keyId: sha256(spki),
  };
}
