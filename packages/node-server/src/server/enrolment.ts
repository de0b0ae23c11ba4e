import type { AuditLog, AuditNote } from "@photinus/core/audit";
import { type Bytes, toHex } from "@photinus/core/bytes";
import { PhotinusError, PkiError } from "@photinus/core/errors";
import {
  type CertificateRequests,
  type EnrolledSite,
  type EnrolmentModules,
  type EnrolmentAuthority as IssuingAuthority,
  redeemInvite,
} from "@photinus/core/provision";
import type { EnrolmentAuthority } from "@photinus/core/session";
import { networkOf } from "../http/client-address.ts";
import type { RefusalRecords } from "./refusal-records.ts";

/** Options of {@link recordedEnrolment}. */
export interface RecordedEnrolmentOptions extends Required<IssuingAuthority> {
  /** Requests without an invite. */
  readonly requests: CertificateRequests;
  /** Notes a certificate before it is handed out, so that it can be revoked. @param leaf DER */
  readonly enrolled: (name: string, leaf: Bytes) => Promise<void>;
}

/** What {@link recordedEnrolment} works with. */
export interface RecordedEnrolmentModules extends EnrolmentModules {
  readonly audit: AuditLog;
  readonly refusals: RefusalRecords;
}

/** Who waits is told so each time it asks: that is no refusal to be recorded. */
const WAITS: ReadonlySet<string> = new Set(["ERR_REQUEST_PENDING", "ERR_REQUEST_DENIED"]);

/** Issues certificates for invite codes and to keys that were approved or renew, and records each attempt. */
export function recordedEnrolment(
  options: RecordedEnrolmentOptions,
  modules: RecordedEnrolmentModules,
): EnrolmentAuthority {
  const { requests, enrolled } = options;
  const { audit } = modules;
  const handOut = async (site: EnrolledSite, note: Handed): Promise<{ readonly chain: readonly Bytes[] }> => {
    const [leaf] = site.chain;
    if (leaf !== undefined) await enrolled(site.name, leaf);
    await audit.record(handedNote(site, note));
    return { chain: site.chain };
  };
  return {
    redeem: (code, request) =>
      recordingRefusal(modules, async () => {
        const site = await redeemInvite({ code, request }, options, modules);
        return await handOut(site, { action: "enrol", requested: site.requestedName ?? "" });
      }),
    ask: (request, address) =>
      recordingRefusal(modules, async () => {
        const outcome = await requests.ask(request, networkOf(address));
        switch (outcome.kind) {
          case "issued": {
            const { site, isRenewal, requestedName } = outcome;
            return await handOut(site, { action: isRenewal ? "renew" : "enrol", requested: requestedName });
          }
          case "denied":
            throw new PkiError("ERR_REQUEST_DENIED", `the request was denied: ${outcome.reason}`);
          case "pending": {
            const { key, record, isNew } = outcome;
            const { name, org, from } = record;
            const details = { name, org, from };
            if (isNew) await audit.record({ action: "request", object: key, outcome: "accepted", details });
            throw new PkiError("ERR_REQUEST_PENDING", "the request waits for an administrator");
          }
        }
      }),
  };
}

interface Handed {
  readonly action: "enrol" | "renew";
  readonly requested: string;
}

/** Of the request only the key counts; that it asked for another name is worth a record. */
function handedNote(site: EnrolledSite, { action, requested }: Handed): AuditNote {
  return {
    actor: `${toHex(site.leafDigest)} ${site.name}`,
    action,
    object: site.name,
    outcome: "accepted",
    correlation: toHex(site.inviteDigest),
    details: { org: site.org, ...(requested === site.name ? {} : { requested: requested.slice(0, 128) }) },
  };
}

async function recordingRefusal<T>(
  { refusals }: RecordedEnrolmentModules,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
    if (!WAITS.has(code)) await refusals.note({ action: "enrol", code });
    throw error;
  }
}
