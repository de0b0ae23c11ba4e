import {
  type Certificate,
  type Identity,
  type Issuer,
  issueParticipant,
  type Role,
  requireName,
  subjectOf,
} from "@photinus/core/pki";
import { clock, crypto } from "./a-ground.ts";

/** What {@link anIdentity} certifies. */
export interface IdentityOptions {
  readonly project: string;
  readonly issuer: Issuer & { readonly certificate: Certificate };
  readonly role?: Role;
  readonly name?: string;
  /** Time of issue. Default: now. */
  readonly nowMs?: number;
  readonly lifetimeMs?: number;
}

/** An identity that nobody has checked: expired, of another project, of another role. */
export async function anIdentity(options: IdentityOptions): Promise<Identity> {
  const { project, issuer, role = "site", name = "mallory", nowMs = clock.now(), lifetimeMs } = options;
  const subject = subjectOf(project, role, name);
  if (subject === undefined) throw new RangeError(`${name} is no name for ${role}`);
  const signingKey = await crypto.generateSigningKey(1);
  const certificate = await issueParticipant(
    {
      ...{ subject, org: requireName("example", "org"), publicKey: signingKey.publicKey, nowMs },
      ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    },
    issuer,
    { crypto },
  );
  const participant = {
    project,
    name,
    org: "example",
    role,
    leafDigest: certificate.digest,
    chain: [certificate.der],
    mutualTls: false,
  };
  return { participant, signingKey };
}
