import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, fromUtf8, utf8 } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { certificatesFromPem, decodePem, encodePem, isName, type RevocationReason } from "@photinus/core/pki";
import {
  KIT_FILE,
  LOCAL_REVOCATION_LIST,
  LOCAL_REVOKED_SITES,
  openRootKey,
  revoke,
} from "@photinus/core/provision";
import {
  nodeCrypto,
  readSecret,
  readSecretFile,
  readSmallFile,
  replaceFile,
  systemClock,
} from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";

/** Options of `photinus revoke`. */
export interface RevokeCommandOptions {
  /** Folder that `photinus provision` made. */
  readonly project?: string;
  /** The names are of sites that joined by a link. */
  readonly pages?: boolean;
  /** Why. */
  readonly reason: RevocationReason;
  /** Kit folder of the server, when it is on this machine: the list is put where the server looks. */
  readonly kit?: string;
  /** File descriptor that yields the passphrase of the root's key. */
  readonly passphraseFd?: number;
  /** File that holds it. */
  readonly passphraseFile?: string;
}

const MAX_FILE_BYTES = 65_536;
/** Name of the list in the folder of the root. */
const LIST = "root.crl";

const read = (...path: readonly string[]): Promise<Bytes> => readSmallFile(join(...path), MAX_FILE_BYTES);

function secretOf(project: string, { passphraseFd, passphraseFile }: RevokeCommandOptions): Promise<string> {
  if (passphraseFd !== undefined) return readSecret(passphraseFd);
  return readSecretFile(passphraseFile ?? join(project, "secrets", "root-key"));
}

async function certificatesOf(project: string): Promise<ReadonlyMap<string, Bytes>> {
  const folder = join(project, "kits");
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${folder} cannot be read`, { cause });
  });
  const entries = names.map(async (name): Promise<readonly [string, Bytes]> => {
    const [leaf] = certificatesFromPem(await read(folder, name, KIT_FILE.certificate));
    if (leaf === undefined)
      throw new HostError("ERR_CONFIG_INVALID", `the kit of ${name} has no certificate`);
    return [name, leaf];
  });
  return new Map(await Promise.all(entries));
}

async function latestOf(folder: string): Promise<Bytes> {
  const [list] = decodePem("X509 CRL", await read(folder, LIST));
  if (list === undefined) throw new HostError("ERR_CONFIG_INVALID", `${join(folder, LIST)} is empty`);
  return list;
}

/** Adds names to those that the server revokes by the key of its enrolment CA. */
async function revokePages(
  names: readonly string[],
  { kit }: RevokeCommandOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const unusable = names.find((name) => !isName(name));
  if (kit === undefined || names.length === 0 || unusable !== undefined) {
    const what =
      unusable === undefined ? "--pages takes names, and --kit of the server" : `no name: ${unusable}`;
    throw new HostError("ERR_CONFIG_INVALID", what);
  }
  const file = join(kit, LOCAL_REVOKED_SITES);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  const before = isThere ? fromUtf8(await read(file)).split("\n") : [];
  const all = [...new Set([...before, ...names])].filter((line) => line !== "");
  await replaceFile(file, utf8(`${all.join("\n")}\n`));
  terminal.line(`The server takes ${file} within a second.`);
  terminal.result({ pages: names, file });
}

/**
 * Revokes certificates of a project: issues the root's next list, keeps it in the project's folder and, where the server's
 * kit is at hand, puts it where the server takes it within a second.
 *
 * @throws ProvisionError `ERR_PARTICIPANT_UNKNOWN`, PkiError `ERR_KEY_UNREADABLE`, HostError `ERR_CONFIG_INVALID`
 */
export async function revokeParticipants(
  names: readonly string[],
  options: RevokeCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { project, reason, kit, pages = false } = options;
  if (pages) {
    await revokePages(names, options, context);
    return;
  }
  if (project === undefined)
    throw new HostError("ERR_CONFIG_INVALID", "name the project's folder by --project");
  const folder = join(project, "root");
  const modules = { crypto: nodeCrypto(), clock: systemClock() };
  const [certificatePem, keyPem, secret] = await Promise.all([
    read(folder, "root.pem"),
    read(folder, "root-key.pem"),
    secretOf(project, options),
  ]);
  const root = await openRootKey({ certificatePem, keyPem, secret }, modules);
  const [latest, certificates] = await Promise.all([latestOf(folder), certificatesOf(project)]);
  const list = await revoke({ root, latest, certificates }, names, modules, { reason });
  const pem = encodePem("X509 CRL", list.der);
  // Here first: a number that a server has seen must never be given to another list.
  await replaceFile(join(folder, LIST), pem);
  const installed = kit === undefined ? undefined : join(kit, LOCAL_REVOCATION_LIST);
  if (installed !== undefined) await replaceFile(installed, pem);
  const until = new Date(list.nextUpdateMs).toISOString();
  terminal.line(
    `Revocation list ${list.number}: ${list.entries.size} revoked, the next one is due by ${until}`,
  );
  terminal.line(
    installed === undefined
      ? `Copy ${join(folder, LIST)} to ${LOCAL_REVOCATION_LIST} in the server's kit: it is taken while the server runs.`
      : `The server takes ${installed} within a second.`,
  );
  terminal.result({
    number: list.number,
    revoked: list.entries.size,
    nextUpdate: until,
    list: join(folder, LIST),
  });
}
