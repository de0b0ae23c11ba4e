import type { Bytes } from "@photinus/core/bytes";
import {
  decodePem,
  type Identity,
  issueParticipant,
  openPrivateKey,
  parseCertificate,
  requireName,
  subjectOf,
} from "@photinus/core/pki";
import type { SigningKey } from "@photinus/core/platform";
import { type StartupKit, throwAwayProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock } from "@photinus/node-platform";

/** A project whose root key is at hand, so that a process can make itself as many sites as it needs. */
export interface BenchProject {
  readonly name: string;
  /** Kit of the server. */
  readonly hub: Pick<StartupKit, "files" | "secret">;
  readonly serverName: string;
  /** Root certificate, DER. */
  readonly root: Bytes;
  /** Private key of the root, PKCS#8. */
  readonly rootKey: Bytes;
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
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", root.keyPem ?? new Uint8Array(0));
  if (sealed === undefined) throw new RangeError("the project has no root key");
  return {
    name: definition.name,
    hub: { files: hub.files, secret: hub.secret },
    serverName: definition.server.name,
    root: root.certificate,
    rootKey: await openPrivateKey(sealed, root.secret ?? "", { crypto }),
  };
}

/** Sites `site-<first>` and so on, each with a key and a certificate of its own. */
export async function issueSites(
  project: BenchProject,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<readonly Identity[]> {
  const crypto = nodeCrypto();
  const certificate = await parseCertificate(project.root, { crypto });
  const key = await crypto.importSigningKey(project.rootKey, certificate.publicKey.spki, 3);
  const org = requireName("bench", "the organization");
  const issue = async (number: number): Promise<Identity> => {
    const subject = subjectOf(project.name, "site", `site-${number}`);
    if (subject === undefined) throw new RangeError(`no site ${number}`);
    const signingKey: SigningKey = await crypto.generateSigningKey(1);
    const request = { subject, org, publicKey: signingKey.publicKey, nowMs: Date.now() };
    const leaf = await issueParticipant(request, { key, certificate }, { crypto });
    return {
      signingKey,
      participant: { ...subject, org, leafDigest: leaf.digest, chain: [leaf.der], mutualTls: false },
    };
  };
  const identities: Identity[] = [];
  for (let number = first; number < first + count; number++) identities.push(await issue(number));
  return identities;
}
