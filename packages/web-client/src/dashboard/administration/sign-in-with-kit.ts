import { connect, type Federation } from "@photinus/core/console";
import { HostError } from "@photinus/core/errors";
import type { Role } from "@photinus/core/pki";
import type { Clock, Connector, CryptoProvider } from "@photinus/core/platform";
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

/** What signing in works with. */
export interface SignInModules {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
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
  modules: SignInModules,
): Promise<SignedInPerson> {
  const { clock, crypto } = modules;
  const kit = await openKit(files, { nowMs: clock.now(), secret: passphrase }, { crypto });
  const { name, org, role, project, server } = kit.configuration;
  if (role === "server" || role === "site" || role === "adapter") {
    throw new HostError("ERR_CONFIG_INVALID", `this is the kit of a ${role}; sign in with that of a person`);
  }
  const { identity, root } = kit;
  const options = { identity, project, root: root.der, serverName: server.name };
  return { name, org, role, federation: await connect(options, modules) };
}
