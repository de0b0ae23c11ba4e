import { toHex } from "../../packages/core/src/bytes/index.ts";
import type { Identity } from "../../packages/core/src/pki/index.ts";
import { TEST_EPOCH_MS, type TestProject, testProject } from "../../packages/core/src/testing/index.ts";
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
      "Certificates (DER), SubjectPublicKeyInfo and PKCS#8 of those who take part in the other files. The root is of P-256 here.",
    project: PROJECT,
    nowMs: NOW_MS,
    root: toHex(project.root.certificate.der),
    enrolmentCa: toHex(project.enrolmentCa.certificate.der),
    server: described(server),
    site: described(site),
    enrolledSite: described(enrolledSite),
    user: described(user),
  };
}
