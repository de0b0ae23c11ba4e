import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fromHex, fromUtf8, toHex, utf8 } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { encodePem, isName, type RevocationReason } from "@photinus/core/pki";
import {
  LOCAL_REVOCATION_LIST,
  LOCAL_REVOKED_SITES,
  markRevoked,
  notAfterOf,
  type ProjectState,
  revoke,
} from "@photinus/core/provision";
import { readSmallFile, replaceFile, systemClock } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import {
  changeProject,
  openProjectFolder,
  openRoot,
  PROJECT_FILE,
  type RootKeyOptions,
} from "../project/project-folder.ts";

/** Options of `photinus revoke`. */
export interface RevokeCommandOptions extends RootKeyOptions {
  /** Folder that `photinus provision` made. */
  readonly project?: string;
  /** The names are of sites that joined by a link. */
  readonly pages?: boolean;
  /** Why. */
  readonly reason: RevocationReason;
  /** Kit folder of the server, when it is on this machine: the list is put where the server looks. */
  readonly kit?: string;
}

const MAX_FILE_BYTES = 65_536;

/** Serial numbers of all certificates that were issued for each name. */
function serialNumbersOf({ participants }: ProjectState) {
  return new Map(
    participants.map(({ name, certificates }) => [
      name,
      certificates.map(({ serialNumber }) => fromHex(serialNumber)),
    ]),
  );
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
  const before = isThere ? fromUtf8(await readSmallFile(file, MAX_FILE_BYTES)).split("\n") : [];
  const all = [...new Set([...before, ...names])].filter((line) => line !== "");
  const content = utf8(`${all.join("\n")}\n`);
  // A server reads no larger one: nobody in it would be revoked.
  if (content.length > MAX_FILE_BYTES) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `${file} would have ${content.length} bytes, at most ${MAX_FILE_BYTES}: take out names that were revoked long ago`,
    );
  }
  await replaceFile(file, content);
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
  const folder = await openProjectFolder(project);
  const { issuer, crypto } = await openRoot(folder, options);
  const { latest, state } = folder;
  const serialNumbers = serialNumbersOf(state);
  const modules = { crypto, clock: systemClock() };
  const list = await revoke(
    { root: issuer, latest, serialNumbers, notAfterMs: notAfterOf(state) },
    names,
    modules,
    { reason },
  );
  const serials = new Set(names.flatMap((name) => serialNumbers.get(name) ?? []).map(toHex));
  // Here first: a number that a server has seen must never be given to another list.
  await changeProject(folder, {
    state: markRevoked(state, serials, { reason, listNumber: list.number }),
    list: list.der,
  });
  const pem = encodePem("X509 CRL", list.der);
  const installed = kit === undefined ? undefined : join(kit, LOCAL_REVOCATION_LIST);
  if (installed !== undefined) await replaceFile(installed, pem);
  const until = new Date(list.nextUpdateMs).toISOString();
  terminal.line(
    `Revocation list ${list.number}: ${list.entries.size} revoked, the next one is due by ${until}`,
  );
  terminal.line(
    installed === undefined
      ? `Copy ${join(project, PROJECT_FILE.list)} to ${LOCAL_REVOCATION_LIST} in the server's kit: it is taken while the server runs.`
      : `The server takes ${installed} within a second.`,
  );
  terminal.result({
    number: list.number,
    revoked: list.entries.size,
    nextUpdate: until,
    list: join(project, PROJECT_FILE.list),
  });
}
