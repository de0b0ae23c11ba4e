import { toHex } from "@photinus/core/bytes";
import { type VerifiedKit, verifyKit as verifyKitFiles } from "@photinus/core/provision";
import { nodeCrypto, readKitFolder } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";

async function verified(folder: string): Promise<VerifiedKit> {
  return verifyKitFiles(await readKitFolder(folder), { nowMs: Date.now() }, { crypto: nodeCrypto() });
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
 * Says whose kit a folder is and what is in it. Only what the project signed is shown.
 * @throws ProvisionError `ERR_KIT_*`
 */
export async function inspectKit(folder: string, { terminal }: CommandContext): Promise<void> {
  const kit = await verified(folder);
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
export async function verifyKit(folder: string, { terminal }: CommandContext): Promise<void> {
  const kit = await verified(folder);
  const { participant, role, project } = kit.manifest;
  const files = kit.manifest.files.length;
  terminal.line(`The kit of ${role} ${participant} in project ${project}: ${files} files, all as signed.`);
  // Whoever made the kit made its root: people compare the fingerprint with what the administrator told them.
  terminal.line(`Root fingerprint: ${toHex(kit.root.digest)}`);
  terminal.result({ verified: true, files, ...factsOf(kit) });
}
