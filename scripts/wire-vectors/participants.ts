import { type Bytes, fromHex, toHex } from "../../packages/core/src/bytes/index.ts";
import { derChildren, derContent } from "../../packages/core/src/pki/der-reader.ts";
import { bitString, integer, sequence } from "../../packages/core/src/pki/der-writer.ts";
import type { Identity } from "../../packages/core/src/pki/index.ts";
import { TEST_EPOCH_MS, type TestProject, testProject } from "../../packages/core/src/testing/index.ts";
import { P256 } from "./deterministic-ecdsa.ts";
import { type FixedCrypto, fixedCrypto } from "./fixed-crypto.ts";

/** Time of every vector: 2026-07-01T00:00:00Z. */
export const NOW_MS: number = TEST_EPOCH_MS;
/** Project of every vector. */
export const PROJECT = "vectors";

/** Who takes part in the vectors, with the provider that holds all keys. */
export interface Participants {
  readonly fixed: FixedCrypto;
  readonly project: TestProject;
  readonly server: Identity;
  readonly site: Identity;
  /** Issued by the enrolment CA. */
  readonly enrolledSite: Identity;
  readonly user: Identity;
}

/** The same participants with the same keys in every file. */
export async function participants(): Promise<Participants> {
  const fixed = fixedCrypto("participants");
  const clock = { now: () => NOW_MS };
  const project = await testProject({ project: PROJECT, sites: ["site-1"], crypto: fixed.crypto, clock });
  const site = project.sites.get("site-1");
  const user = project.users.get("lead@example.org");
  if (site === undefined || user === undefined) throw new RangeError("the project lacks a participant");
  const enrolledSite = await project.enrol("guest-1");
  return { fixed, project, server: project.server, site, enrolledSite, user };
}

/** The same certificate with the other s in its signature, which verifies as well: of P-256, as the root is. */
function otherForm(certificate: Bytes): Bytes {
  const [tbs, algorithm, signature] = derChildren(certificate);
  const [r, s] = derChildren(derContent(signature ?? certificate, 0x03).subarray(1));
  if (tbs === undefined || algorithm === undefined || r === undefined || s === undefined) {
    throw new RangeError("a certificate has a signature of two numbers");
  }
  const other = P256.order - BigInt(`0x${toHex(derContent(s, 0x02))}`);
  const digits = fromHex(other.toString(16).padStart(64, "0"));
  return sequence(tbs, algorithm, bitString(sequence(r, integer(digits))));
}

/** The participants' certificates and keys. */
export async function participantVectors(): Promise<object> {
  const { fixed, project, server, site, enrolledSite, user } = await participants();
  const described = ({ participant, signingKey }: Identity): object => ({
    name: participant.name,
    role: participant.role,
    org: participant.org,
    algorithm: signingKey.algorithm,
    chain: participant.chain.map(toHex),
    leafDigest: toHex(participant.leafDigest),
    publicKey: toHex(signingKey.publicKey),
    privateKey: toHex(fixed.pkcs8Of(signingKey)),
  });
  return {
    about:
      "Certificates (DER), SubjectPublicKeyInfo and PKCS#8 of those who take part in the other files. The root is of P-256 here. secondFormOfSite: the site's certificate with n - s in place of s, which has the same digest.",
    project: PROJECT,
    nowMs: NOW_MS,
    root: toHex(project.root.certificate.der),
    enrolmentCa: toHex(project.enrolmentCa.certificate.der),
    server: described(server),
    site: described(site),
    secondFormOfSite: toHex(otherForm(site.participant.chain[0] ?? new Uint8Array())),
    enrolledSite: described(enrolledSite),
    user: described(user),
  };
}
