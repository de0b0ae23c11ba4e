import { auditLog } from "@photinus/core/audit";
import type { Clock, CryptoProvider } from "@photinus/core/platform";
import {
  buildJoinFragment,
  createInvite,
  type InviteOptions,
  type OpenedKit,
} from "@photinus/core/provision";
import type { ServerStorage } from "./storage.ts";

/** What {@link makeInvite} works with. */
export interface InviteModules {
  /** The server's kit, opened. */
  readonly kit: OpenedKit;
  /** Where invites and records go. */
  readonly storage: Pick<ServerStorage, "metadata" | "audit">;
  /** Time of the record and of the expiry. */
  readonly clock: Clock;
  /** Makes and hashes the code. */
  readonly crypto: CryptoProvider;
}

/**
 * Makes an invite for pages and records it.
 * @returns the fragment of the join link, without `#`: a secret
 * @throws RangeError for options that are out of range; PkiError `ERR_QUOTA_EXCEEDED`
 */
export async function makeInvite(
  options: InviteOptions,
  { kit, storage, clock, crypto }: InviteModules,
): Promise<string> {
  const { code } = await createInvite(options, { metadata: storage.metadata, clock, crypto });
  await auditLog(storage.audit, clock).record({
    action: "invite",
    object: options.org,
    outcome: "done",
    details: { uses: options.uses ?? 1, expiresAtMs: options.expiresAtMs },
  });
  const { project, server } = kit.configuration;
  return buildJoinFragment({ project, serverName: server.name, rootFingerprint: kit.root.digest, code });
}
