import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** With this flag of Node the packages are their sources, otherwise what `tsc -b` makes of them. */
export const SOURCE_CONDITION = "--conditions=@photinus/source";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Compiles the packages: what is measured is what is published. Sources that are transformed as they are loaded give each
 * function a name of its own at each call, which costs memory and time.
 * @throws Error with what the compiler says
 */
export async function compilePackages(): Promise<void> {
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  await promisify(execFile)(process.execPath, [tsc, "-b"], { cwd: ROOT });
}
