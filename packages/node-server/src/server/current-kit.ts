import type { AuditLog } from "@photinus/core/audit";
import { equalBytes, toHex } from "@photinus/core/bytes";
import { ProvisionError } from "@photinus/core/errors";
import type { Participant, RevocationLists } from "@photinus/core/pki";
import type { Logger } from "@photinus/core/platform";
import type { OpenedKit } from "@photinus/core/provision";
import { requireServerNotRevoked } from "@photinus/core/session";
import type { TlsOptions } from "../http/tls.ts";
import type { LoadedKit } from "./kit-renewal.ts";

/** What {@link CurrentKit} works with. */
export interface CurrentKitModules {
  /** Told of each kit that is taken, before it counts, and of each that is refused. */
  readonly audit: AuditLog;
  /** Told of each kit that is taken. */
  readonly logger: Logger;
  /** A certificate that they name is not taken. */
  readonly revocations: RevocationLists;
  /** Presents certificates to new connections; throws when they are unusable. */
  readonly replaceTls: (tls: TlsOptions) => void;
  /** Told of the new identity. */
  readonly renewed: (kit: OpenedKit) => void;
}

/**
 * The kit that a running server works by. Sessions keep the identity that they began with; handshakes, enrolments and
 * publications from here on take the newest.
 */
export class CurrentKit {
  #loaded: LoadedKit;

  constructor(loaded: LoadedKit) {
    this.#loaded = loaded;
  }

  /** As it was taken last. */
  get kit(): OpenedKit {
    return this.#loaded.kit;
  }

  /**
   * Goes on with a renewed kit: at once, wholly or not at all.
   * @throws ProvisionError `ERR_KIT_FOREIGN`, `ERR_KIT_OLDER`, `ERR_STORAGE_KEY_OTHER`; PkiError `ERR_SERVER_REVOKED`;
   *   HostError `ERR_CONFIG_INVALID` for unusable certificates of TLS
   */
  async take(loaded: LoadedKit, modules: CurrentKitModules): Promise<void> {
    const { kit, tls } = loaded;
    const before = this.#loaded;
    requireSuccessor(before.kit, kit);
    requireServerNotRevoked(kit.identity.participant, modules.revocations);
    if (tls !== undefined) modules.replaceTls(tls);
    const { leafDigest, name } = kit.identity.participant;
    if (equalBytes(leafDigest, before.kit.identity.participant.leafDigest)) {
      this.#loaded = loaded;
      modules.logger.info("the kit's files were read again; its certificate is the same");
      return;
    }
    try {
      const details = { leaf: toHex(leafDigest), notAfterMs: kit.manifest.notAfterMs };
      await modules.audit.record({ action: "kit", object: name, outcome: "accepted", details });
    } catch (error) {
      if (before.tls !== undefined) modules.replaceTls(before.tls);
      throw error;
    }
    this.#loaded = loaded;
    modules.renewed(kit);
    modules.logger.info("a renewed kit is in force", { kitId: kit.manifest.kitId });
  }

  /** Takes down that what lies in place is not taken. */
  async refused(code: string, { audit }: Pick<CurrentKitModules, "audit">): Promise<void> {
    const { name } = this.kit.identity.participant;
    await audit.record({ action: "kit", object: name, outcome: "refused", reason: code });
  }
}

function requireSuccessor(before: OpenedKit, after: OpenedKit): void {
  const isSame = isSameParticipant(before.identity.participant, after.identity.participant);
  if (!isSame || !equalBytes(before.root.der, after.root.der)) {
    throw new ProvisionError("ERR_KIT_FOREIGN", "the kit in place is that of another participant");
  }
  const [old, next] = [before.manifest, after.manifest];
  const isOlder =
    next.notBeforeMs < old.notBeforeMs ||
    (next.notBeforeMs === old.notBeforeMs && next.notAfterMs < old.notAfterMs);
  if (isOlder) throw new ProvisionError("ERR_KIT_OLDER", "the kit in place is older than the one in use");
  const [key, nextKey] = [before.storageKey, after.storageKey];
  if (key === undefined || nextKey === undefined || !equalBytes(key, nextKey)) {
    throw new ProvisionError("ERR_STORAGE_KEY_OTHER", "the kit in place holds another storage key");
  }
}

/** Role and organization too: the policy that is in force was read for them. */
function isSameParticipant(before: Participant, after: Participant): boolean {
  return (
    before.name === after.name &&
    before.project === after.project &&
    before.role === after.role &&
    before.org === after.org
  );
}
