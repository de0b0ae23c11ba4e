import type { Bytes } from "@photinus/core/bytes";
import {
  algorithmOf,
  decodePem,
  type Identity,
  issueParticipant,
  openPrivateKey,
  parseCertificate,
  requireName,
  subjectOf,
} from "@photinus/core/pki";
import type { SigningKey } from "@photinus/core/platform";
import { KIT_FILE, type StartupKit, throwAwayProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock } from "@photinus/node-platform";

/**
 * Who issued the certificates of the sites: the enrolment CA (P-256), as those of everybody who joins by a link or asks
 * for a certificate, or the root (P-384), as those in the kits of machines.
 */
export type Population = "enrolled" | "kits";

/** A CA and its key. */
interface Authority {
  /** Certificate, DER. */
  readonly certificate: Bytes;
  /** Private key, PKCS#8. */
  readonly key: Bytes;
}

/** A project whose CAs' keys are at hand, so that a process can make itself as many sites as it needs. */
export interface BenchProject {
  readonly name: string;
  /** Kit of the server. */
  readonly hub: Pick<StartupKit, "files" | "secret">;
  readonly serverName: string;
  /** Root certificate, DER. */
  readonly root: Bytes;
  /** What each population's certificates are issued by. */
  readonly authorities: Readonly<Record<Population, Authority>>;
}

/** A project of the real profile: root of P-384, participants of P-256. */
export async function benchProject(): Promise<BenchProject> {
  const crypto = nodeCrypto();
  const { kits, root, definition } = await throwAwayProject(
    { sites: 1, port: 1 },
    { crypto, clock: systemClock() },
  );
  const hub = kits.get(definition.server.name);
  if (hub === undefined) throw new RangeError("the project has no server");
  const keyIn = (pem: Bytes | undefined, secret: string): Promise<Bytes> => {
    const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", pem ?? new Uint8Array(0));
    if (sealed === undefined) throw new RangeError("the project lacks the key of a CA");
    return openPrivateKey(sealed, secret, { crypto });
  };
  const pem = hub.files.get(KIT_FILE.enrolmentCertificate) ?? new Uint8Array(0);
  const [enrolment] = decodePem("CERTIFICATE", pem);
  if (enrolment === undefined) throw new RangeError("the project has no enrolment CA");
  return {
    name: definition.name,
    hub: { files: hub.files, secret: hub.secret },
    serverName: definition.server.name,
    root: root.certificate,
    authorities: {
      enrolled: {
        certificate: enrolment,
        key: await keyIn(hub.files.get(KIT_FILE.enrolmentKey), hub.secret),
      },
      kits: { certificate: root.certificate, key: await keyIn(root.keyPem, root.secret ?? "") },
    },
  };
}

/** What {@link issueSites} makes. */
export interface SitesOptions {
  /** Number in the first name. */
  readonly first: number;
  /** How many. */
  readonly count: number;
  /** Who issues them. */
  readonly population: Population;
}

/** Sites `site-<first>` and so on, each with a key and a certificate of its own. */
export async function issueSites(
  project: BenchProject,
  { first, count, population }: SitesOptions,
): Promise<readonly Identity[]> {
  const crypto = nodeCrypto();
  const authority = project.authorities[population];
  const certificate = await parseCertificate(authority.certificate, { crypto });
  const isEnrolled = population === "enrolled";
  const key = await crypto.importSigningKey(
    authority.key,
    certificate.publicKey.spki,
    algorithmOf(certificate.publicKey),
  );
  const above = isEnrolled ? [certificate.der] : [];
  const org = requireName("bench", "the organization");
  const issue = async (number: number): Promise<Identity> => {
    const subject = subjectOf(project.name, "site", `site-${number}`);
    if (subject === undefined) throw new RangeError(`no site ${number}`);
    const signingKey: SigningKey = await crypto.generateSigningKey(1);
    const inviteDigest = await crypto.sha256(new Uint8Array(16)); // of the one invite by which all came
    const request = {
      ...{ subject, org, publicKey: signingKey.publicKey, nowMs: Date.now() },
      ...(isEnrolled && { inviteDigest }),
    };
    const leaf = await issueParticipant(request, { key, certificate }, { crypto });
    return {
      signingKey,
      participant: {
        ...subject,
        org,
        leafDigest: leaf.digest,
        chain: [leaf.der, ...above],
        mutualTls: false,
      },
    };
  };
  const identities: Identity[] = [];
  for (let number = first; number < first + count; number++) identities.push(await issue(number));
  return identities;
}
