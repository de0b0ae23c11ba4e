import { join } from "node:path";
import { ProvisionError } from "@photinus/core/errors";
import { LOCAL_SECRET, OWN_KEY_FILES, openKit, verifyKit } from "@photinus/core/provision";
import { nodeCrypto, readKit } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import { changeOwnKit, readOwnKit } from "../project/own-kit.ts";
import { digestFrom } from "./administer.ts";
import { type KitOptions, secretOf } from "./open-kit-folder.ts";

/** Options of `photinus cert install`. */
export interface InstallKitOptions extends Omit<KitOptions, "kit"> {
  /** Folder that `photinus cert request` made. */
  readonly out: string;
  /** SHA-256 of the project's root certificate, as an administrator says it. */
  readonly rootFingerprint: string;
}

/**
 * Puts a kit that was issued to a request together with the keys that its owner made. The folder changes as a whole, and
 * only when the kit is whole, of that root, and for those keys.
 *
 * @param path folder or zip file of the kit
 * @throws ProvisionError `ERR_KIT_*`; PkiError `ERR_KEY_UNREADABLE` when it was issued to another key
 */
export async function installKit(
  path: string,
  options: InstallKitOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const { out } = options;
  const crypto = nodeCrypto();
  const kit = await readKit(path);
  const foreign = [...OWN_KEY_FILES].find((name) => kit.has(name));
  if (foreign !== undefined) {
    throw new ProvisionError(
      "ERR_KIT_UNEXPECTED_FILE",
      `${foreign} does not belong to a kit that was asked for`,
    );
  }
  const expectations = { nowMs: Date.now(), rootFingerprint: digestFrom(options.rootFingerprint) };
  await verifyKit(kit, expectations, { crypto });
  const own = await readOwnKit(out);
  const keys = [...own].filter(([name]) => OWN_KEY_FILES.has(name));
  const secret = await secretOf(withOwnSecret(options));
  const { manifest } = await openKit(new Map([...kit, ...keys]), { ...expectations, secret }, { crypto });
  const drop = [...own.keys()].filter((name) => !kit.has(name) && !OWN_KEY_FILES.has(name));
  await changeOwnKit(out, { put: kit, before: own, drop });
  const { participant, role } = manifest;
  terminal.line(`Kit of ${role} ${participant} is in ${out}, for the key that was made there.`);
  terminal.result({
    name: participant,
    role,
    kit: out,
    notAfter: new Date(manifest.notAfterMs).toISOString(),
  });
}

function withOwnSecret({ out, ...options }: InstallKitOptions): KitOptions {
  const isNamed = options.passphraseFd !== undefined || options.passphraseFile !== undefined;
  return { ...options, kit: out, ...(isNamed ? {} : { passphraseFile: join(out, LOCAL_SECRET) }) };
}
