import { fromHex, toHex } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { type VerifiedKit, verifyKit as verifyKitFiles } from "@photinus/core/provision";
import { nodeCrypto, readKit } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";

/** Options of `photinus kit`. */
export interface KitCommandOptions {
  /** Fingerprint of the root that the kit has to be of. */
  readonly root?: string;
}

async function verified(path: string, { root }: KitCommandOptions): Promise<VerifiedKit> {
  const expected = root === undefined ? {} : { rootFingerprint: fingerprintOf(root) };
  return verifyKitFiles(await readKit(path), { nowMs: Date.now(), ...expected }, { crypto: nodeCrypto() });
}

/** As provision prints it, or with the colons of openssl. */
function fingerprintOf(text: string) {
  const digits = text.toLowerCase().replaceAll(":", "");
  if (/^[0-9a-f]{64}$/.test(digits)) return fromHex(digits);
  throw new HostError("ERR_CONFIG_INVALID", "--root is a fingerprint of 64 hexadecimal digits");
}

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
  terminal.result({ ...factsOf(kit), files: kit.manifest.files });
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
  // Whoever made the kit made its root: people compare the fingerprint with what the administrator told them.
  terminal.line(`Root fingerprint: ${toHex(kit.root.digest)}`);
  terminal.result({ verified: true, files, ...factsOf(kit) });
}
