import { fromHex } from "@photinus/core/bytes";
import { type Administration, connect } from "@photinus/core/console";
import { HostError } from "@photinus/core/errors";
import type { OpenedKit } from "@photinus/core/provision";
import { serverConnector } from "@photinus/node-client";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { chooseProxy } from "../choose-proxy.ts";
import { type KitOptions, openKitFolder } from "./open-kit-folder.ts";

/** Options of every command of an administrator. */
export interface AdministratorOptions extends KitOptions {
  /** Address of the server's socket; by default those in the kit. */
  readonly server?: string;
  /** Address of an HTTP proxy, or "none"; by default what the environment says. */
  readonly proxy?: string;
}

/** What a command of an administrator acts on. */
export interface Administering {
  readonly administration: Administration;
  readonly kit: OpenedKit;
}

/**
 * Opens an administrator's session for one command.
 * @throws ProvisionError, PkiError for the kit; WireError when the server does not answer; RequestError when it refuses
 */
export async function administer<T>(
  options: AdministratorOptions,
  act: (with_: Administering) => Promise<T>,
): Promise<T> {
  const { kit, tls } = await openKitFolder(options);
  const { project, server } = kit.configuration;
  const federation = await connect(
    { identity: kit.identity, project, root: kit.root.der, serverName: server.name },
    {
      connector: serverConnector({
        ...{ kit, tls, proxyOf: chooseProxy(options.proxy) },
        ...(options.server === undefined ? {} : { server: options.server }),
      }),
      clock: systemClock(),
      crypto: nodeCrypto(),
    },
  );
  try {
    return await act({ administration: federation.administration, kit });
  } finally {
    await federation.close();
  }
}

/** A digest as people write it: hexadecimal, in groups or not. @throws HostError `ERR_CONFIG_INVALID` */
export function digestFrom(text: string): Uint8Array<ArrayBuffer> {
  const hex = text.replaceAll(/[\s:]/g, "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return fromHex(hex);
  throw new HostError("ERR_CONFIG_INVALID", "expected a fingerprint: 64 hexadecimal digits");
}
