import type { EnrolmentDesk } from "@photinus/core/coordinator";
import type { Clock, CryptoProvider } from "@photinus/core/platform";
import { CertificateRequests, type EnrolmentAuthority, type RequestLimits } from "@photinus/core/provision";
import type { CurrentKit } from "./current-kit.ts";
import type { ServerRevocations } from "./server-revocations.ts";
import type { ServerStorage } from "./storage.ts";

/** Who issues certificates to pages and keys, and what administrators see of it. */
export interface Enrolment extends EnrolmentDesk {
  /** Issues by the enrolment CA of the kit. */
  readonly authority: Required<EnrolmentAuthority>;
  /** Requests without an invite. */
  readonly requests: CertificateRequests;
}

/** What {@link enrolmentDesk} works with. */
export interface EnrolmentDeskModules {
  /** The kit in use; who has a place in it may not enrol. */
  readonly current: CurrentKit;
  /** Where requests wait. */
  readonly storage: Pick<ServerStorage, "metadata">;
  /** Time of issue. */
  readonly clock: Clock;
  /** Signs. */
  readonly crypto: CryptoProvider;
  /** Told of each certificate. */
  readonly revocations: ServerRevocations;
}

/** Who may join without a kit: absent where the kit has no enrolment CA. */
export function enrolmentDesk(
  limits: Partial<RequestLimits> | undefined,
  { current, storage, clock, crypto, revocations }: EnrolmentDeskModules,
): Enrolment | undefined {
  const { configuration, enrolment: issuer } = current.kit;
  if (issuer === undefined) return undefined;
  const authority = {
    project: configuration.project,
    issuer,
    isProvisioned: (name: string) => current.kit.machines.has(name),
    suspensions: revocations.lists.suspensions,
  };
  const requests = new CertificateRequests(authority, { metadata: storage.metadata, clock, crypto }, limits);
  return {
    authority,
    requests,
    issued: revocations,
    async renew(spki) {
      const site = await requests.renew(spki);
      await revocations.enrolled(site.name, site.chain[0] ?? new Uint8Array(0));
      return site;
    },
  };
}
