import { ProvisionError } from "@photinus/core/errors";
import { decodePem, openPrivateKey } from "@photinus/core/pki";
import { KIT_FILE, type KitFiles, type OpenedKit, openKit } from "@photinus/core/provision";
import { nodeCrypto } from "./node-crypto.ts";
import { type TlsIdentity, tlsIdentity } from "./tls-identity.ts";

/** A kit with its keys, and certificate and key as TLS takes them. */
export interface KitOfHost {
  /** The kit, opened. */
  readonly kit: OpenedKit;
  /** For connections of `mtls`. */
  readonly tls: TlsIdentity;
  /** What opened it. */
  readonly secret: string;
}

/**
 * Opens the kit of a host or of a person who works in Node.
 * @param files as `readKitFolder` reads them
 * @throws ProvisionError `ERR_KIT_*`, PkiError `ERR_KEY_UNREADABLE`
 */
export async function openHostKit(
  files: KitFiles,
  secret: string,
  nowMs: number = Date.now(),
): Promise<KitOfHost> {
  const crypto = nodeCrypto();
  const kit = await openKit(files, { nowMs, secret }, { crypto });
  const [sealed] = decodePem("ENCRYPTED PRIVATE KEY", files.get(KIT_FILE.key) ?? new Uint8Array(0));
  if (sealed === undefined) throw new ProvisionError("ERR_KIT_UNREADABLE", "the kit holds no key");
  const pkcs8 = await openPrivateKey(sealed, secret, { crypto });
  return { kit, tls: tlsIdentity(kit.identity.participant.chain, pkcs8), secret };
}
