import type { AuditLog } from "@photinus/core/audit";
import { type Bytes, toHex } from "@photinus/core/bytes";
import { PhotinusError } from "@photinus/core/errors";
import type { Issuer } from "@photinus/core/pki";
import { type EnrolmentModules, redeemInvite } from "@photinus/core/provision";
import type { EnrolmentAuthority } from "@photinus/core/session";
import type { RefusalRecords } from "./refusal-records.ts";

/** Options of {@link invitedEnrolment}. */
export interface InvitedEnrolmentOptions {
  /** Name of the project. */
  readonly project: string;
  /** The enrolment CA, from the server's kit. */
  readonly issuer: Required<Issuer>;
  /** Names that kits carry, which no enrolled site may have. */
  readonly isProvisioned: (name: string) => boolean;
  /** Notes a certificate before it is handed out, so that it can be revoked. @param leaf DER */
  readonly enrolled: (name: string, leaf: Bytes) => Promise<void>;
}

/** Issues certificates for invite codes and records each attempt. */
export function invitedEnrolment(
  options: InvitedEnrolmentOptions,
  modules: EnrolmentModules & { readonly audit: AuditLog; readonly refusals: RefusalRecords },
): EnrolmentAuthority {
  const { audit, refusals } = modules;
  return {
    async redeem(code, request) {
      try {
        const site = await redeemInvite({ code, request }, options, modules);
        const [leaf] = site.chain;
        if (leaf !== undefined) await options.enrolled(site.name, leaf);
        const correlation = toHex(site.inviteDigest);
        const requested = site.requestedName === site.name ? {} : { requested: site.requestedName ?? "" };
        await audit.record({
          actor: `${toHex(site.leafDigest)} ${site.name}`,
          action: "enrol",
          object: site.name,
          outcome: "accepted",
          correlation,
          details: { org: site.org, ...requested },
        });
        return { chain: site.chain };
      } catch (error) {
        const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
        await refusals.note({ action: "enrol", code });
        throw error;
      }
    },
  };
}
