import { fromHex } from "@photinus/core/bytes";
import type { Administration } from "@photinus/core/console";
import { HostError } from "@photinus/core/errors";
import type { OpenedKit } from "@photinus/core/provision";
import type { CommandContext } from "../context.ts";
import { type PersonOptions, withFederation } from "../with-federation.ts";

/** Options of every command of an administrator. */
export type AdministratorOptions = PersonOptions;

/** What a command of an administrator acts on. */
export interface Administering {
  readonly administration: Administration;
  readonly kit: OpenedKit;
}

/**
 * Opens an administrator's session for one command.
 * @param context who has to sign in at a provider is told so there
 * @throws as {@link withFederation}
 */
export async function administer<T>(
  options: AdministratorOptions,
  act: (with_: Administering) => Promise<T>,
  context: CommandContext,
): Promise<T> {
  return await withFederation(
    options,
    ({ federation, kit }) => act({ administration: federation.administration, kit }),
    context,
  );
}

/** A digest as people write it: hexadecimal, in groups or not. @throws HostError `ERR_CONFIG_INVALID` */
export function digestFrom(text: string): Uint8Array<ArrayBuffer> {
  const hex = text.replaceAll(/[\s:]/g, "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return fromHex(hex);
  throw new HostError("ERR_CONFIG_INVALID", "expected a fingerprint: 64 hexadecimal digits");
}
