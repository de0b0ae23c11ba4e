import { join } from "node:path";
import { type Bytes, fromHex, toHex } from "@photinus/core/bytes";
import { HostError, ProvisionError } from "@photinus/core/errors";
import {
  LOCAL_SECRET,
  openKit,
  type VerifiedKit,
  verifyKit as verifyKitFiles,
} from "@photinus/core/provision";
import { nodeCrypto, readKit } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import { exists } from "../project/folder-change.ts";
import { finishOwnKit } from "../project/own-kit.ts";
import { type KitOptions, secretOf } from "./open-kit-folder.ts";

/** Options of `photinus kit`. */
export interface KitCommandOptions extends Pick<KitOptions, "passphraseFd" | "passphraseFile"> {
  /** Fingerprint of the root that the kit has to be of. */
  readonly root?: string;
}

/** Every file is as signed; a key that the owner made beside them is the certificate's. */
async function verified(path: string, options: KitCommandOptions): Promise<VerifiedKit> {
  const { root } = options;
  const expected = root === undefined ? {} : { rootFingerprint: fingerprintOf(root) };
  const expectations = { nowMs: Date.now(), ...expected };
  await finishOwnKit(path);
  const files = await readKit(path);
  const crypto = nodeCrypto();
  const kit = await verifyKitFiles(files, { ...expectations, admitsOwnKeys: true }, { crypto });
  if (kit.ownKeys.length === 0) return kit;
  const secret = await secretOfOwner(path, kit.ownKeys, options);
  return await openKit(files, { ...expectations, secret }, { crypto });
}

/** @throws ProvisionError `ERR_KIT_UNEXPECTED_FILE`: without the secret nothing says that they belong to the kit */
async function secretOfOwner(
  kit: string,
  ownKeys: readonly string[],
  { passphraseFd, passphraseFile }: KitCommandOptions,
): Promise<string> {
  const local = join(kit, LOCAL_SECRET);
  const file = passphraseFile ?? ((await exists(local)) ? local : undefined);
  if (passphraseFd === undefined && file === undefined) {
    throw new ProvisionError(
      "ERR_KIT_UNEXPECTED_FILE",
      `${ownKeys.join(", ")}: not signed by the project; where the owner of the kit made the key, --passphrase-file proves it`,
    );
  }
  return await secretOf({
    kit,
    ...(passphraseFd === undefined ? {} : { passphraseFd }),
    ...(file === undefined ? {} : { passphraseFile: file }),
  });
}

/** As provision prints it, or with the colons of openssl. */
function fingerprintOf(text: string): Bytes {
  const digits = text.toLowerCase().replaceAll(":", "");
  if (/^[0-9a-f]{64}$/.test(digits)) return fromHex(digits);
  throw new HostError("ERR_CONFIG_INVALID", "--root is a fingerprint of 64 hexadecimal digits");
}

/** What is said of a key that nobody signed, once it was opened. */
const MADE_BY_OWNER = "the owner's own, which nobody signed: it was opened, and belongs to the kit";

function factsOf({ manifest, configuration, root }: VerifiedKit): Readonly<Record<string, string>> {
  const { project, participant, role, kitId, notBeforeMs, notAfterMs } = manifest;
  return {
    project,
    participant,
    role,
    org: configuration.org,
    server: configuration.server.name,
    addresses: configuration.server.addresses.join(" "),
    security: configuration.security,
    kitId,
    validFrom: new Date(notBeforeMs).toISOString(),
    validUntil: new Date(notAfterMs).toISOString(),
    rootFingerprint: toHex(root.digest),
  };
}

/**
 * Says whose kit a folder or zip file is and what is in it. Only what the project signed is shown.
 * @throws ProvisionError `ERR_KIT_*`
 */
export async function inspectKit(
  path: string,
  options: KitCommandOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const kit = await verified(path, options);
  for (const [name, value] of Object.entries(factsOf(kit))) terminal.line(`${name.padEnd(16)} ${value}`);
  for (const { path, size } of kit.manifest.files) {
    terminal.line(`${path.padEnd(16)} ${size} bytes`);
  }
  for (const path of kit.ownKeys) terminal.line(`${path.padEnd(16)} ${MADE_BY_OWNER}`);
  terminal.result({ ...factsOf(kit), files: kit.manifest.files, ownKeys: kit.ownKeys });
}

/**
 * Checks every file of a kit against its signed manifest.
 * @throws ProvisionError `ERR_KIT_*`
 */
export async function verifyKit(
  path: string,
  options: KitCommandOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const kit = await verified(path, options);
  const { participant, role, project } = kit.manifest;
  const files = kit.manifest.files.length;
  terminal.line(`The kit of ${role} ${participant} in project ${project}: ${files} files, all as signed.`);
  for (const path of kit.ownKeys) terminal.line(`${path}: ${MADE_BY_OWNER}`);
  // Whoever made the kit made its root: people compare the fingerprint with what the administrator told them.
  terminal.line(`Root fingerprint: ${toHex(kit.root.digest)}`);
  terminal.result({ verified: true, files, ownKeys: kit.ownKeys, ...factsOf(kit) });
}
