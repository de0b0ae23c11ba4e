import { lstat } from "node:fs/promises";
import { type KitFiles, MAX_KIT_ZIP_BYTES, readKitZip } from "@photinus/core/provision";
import { readKitFolder } from "./kit-folder.ts";
import { readSmallFile } from "./small-file.ts";

/**
 * Reads the files of a startup kit from its folder or zip file, without what lies in `local/`.
 * @throws ProvisionError `ERR_KIT_UNREADABLE`; HostError `ERR_CONFIG_INVALID` for a file that is no kit's
 */
export async function readKit(path: string): Promise<KitFiles> {
  const isFile = await lstat(path).then(
    (found) => found.isFile(),
    () => false, // reading the folder tells why
  );
  return isFile ? await readKitZip(await readSmallFile(path, MAX_KIT_ZIP_BYTES)) : await readKitFolder(path);
}
