import { join } from "node:path";
import { LOCAL_MACHINES, type OpenedKit, parseMachines } from "@photinus/core/provision";
import { readSmallFile } from "@photinus/node-platform";
import { isAbsent } from "../located-file.ts";

/** A list of machines grows with the project. */
const MAX_MACHINES_BYTES = 4 * 1_048_576;

/**
 * The kit with the machines that got kits after it: an administrator puts them into `local/`, as `provision` says.
 * @throws ProvisionError `ERR_KIT_UNREADABLE`; HostError `ERR_CONFIG_INVALID`
 */
export async function withLaterMachines<Kit extends Pick<OpenedKit, "machines">>(
  kit: Kit,
  folder: string,
): Promise<Kit> {
  const file = join(folder, LOCAL_MACHINES);
  if (await isAbsent(file)) return kit;
  const later = parseMachines(await readSmallFile(file, MAX_MACHINES_BYTES));
  return { ...kit, machines: new Map([...kit.machines, ...later]) };
}
