import { type ConsoleTransport, connect, type Federation } from "@photinus/core/console";
import { HostError } from "@photinus/core/errors";
import type { Role } from "@photinus/core/pki";
import { type KitFiles, openKit } from "@photinus/core/provision";

/** Somebody who is signed in, by a kit or by another way. */
export interface SignedInPerson {
  /** Name in the certificate. */
  readonly name: string;
  /** Organization in it. */
  readonly org: string;
  /** Role in it. */
  readonly role: Role;
  /** The federation as this person sees it. */
  readonly federation: Federation;
}

/**
 * Signs in with a startup kit. The key is imported so that no script can copy it, and stays in the memory of this page;
 * the passphrase is kept nowhere.
 *
 * @throws ProvisionError, PkiError when kit or passphrase are wrong; HostError `ERR_CONFIG_INVALID` for the kit of a
 *   machine; WireError when the server does not answer
 */
export async function signInWithKit(
  files: KitFiles,
  passphrase: string,
  transport: ConsoleTransport,
): Promise<SignedInPerson> {
  const { clock, crypto } = transport;
  const kit = await openKit(files, { nowMs: clock.now(), secret: passphrase }, { crypto });
  const { name, org, role } = kit.configuration;
  if (role === "server" || role === "site" || role === "adapter") {
    throw new HostError("ERR_CONFIG_INVALID", `this is the kit of a ${role}; sign in with that of a person`);
  }
  return { name, org, role, federation: await connect({ kit, transport }) };
}
