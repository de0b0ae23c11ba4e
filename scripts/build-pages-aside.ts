import { spawn } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { PAGES } from "./build-pages.ts";

/** Below the processes that people wait for. */
const PRIORITY = 10;

/**
 * Builds the pages in a process of its own: in this one it would hold up every other answer for seconds.
 * @returns their folder once they are built
 */
export async function buildPagesAside(): Promise<string> {
  const script = fileURLToPath(new URL("build-pages.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  // Whoever ends before the pages are built needs them no longer.
  child.unref();
  const stop = (): void => void child.kill();
  process.once("exit", stop);
  if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
  const [status] = await once(child, "exit");
  process.off("exit", stop);
  if (status !== 0) throw new Error(`the pages could not be built: status ${status}`);
  return PAGES;
}
