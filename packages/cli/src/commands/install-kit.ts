import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ProvisionError } from "@photinus/core/errors";
import {
  KIT_FILE,
  type KitFiles,
  LOCAL_FOLDER,
  LOCAL_SECRET,
  OWN_KEY_FILES,
  openKit,
  verifyKit,
} from "@photinus/core/provision";
import { nodeCrypto, readKit, readKitFolder, replaceFile } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
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
 * Puts a kit that was issued to a request together with the keys that its owner made. Nothing is written unless the kit is
 * whole, of that root, and for those keys.
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
  const own = await readKitFolder(out);
  const keys = [...own].filter(([name]) => OWN_KEY_FILES.has(name));
  const secret = await secretOf(withOwnSecret(options));
  const { manifest } = await openKit(new Map([...kit, ...keys]), { ...expectations, secret }, { crypto });
  await writeOver(out, kit);
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

/** The signature comes last: what is interrupted before is found to be no whole kit, and done again. */
async function writeOver(folder: string, kit: KitFiles): Promise<void> {
  for (const name of await readdir(folder)) {
    const stays = kit.has(name) || OWN_KEY_FILES.has(name) || `${name}/` === LOCAL_FOLDER;
    if (!stays) await rm(join(folder, name));
  }
  const last: ReadonlySet<string> = new Set([KIT_FILE.manifest, KIT_FILE.signature]);
  const files = [...kit].sort(([a], [b]) => Number(last.has(a)) - Number(last.has(b)));
  for (const [name, content] of files) await replaceFile(join(folder, name), content);
}
