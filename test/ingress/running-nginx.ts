import { onTestFinished } from "vitest";
import { type NginxOptions, type RunningNginx, startNginx } from "./start-nginx.ts";

/** Starts nginx on a free port of loopback; it stops when the test ends. */
export async function runningNginx(options: NginxOptions): Promise<RunningNginx> {
  const nginx = await startNginx(options);
  onTestFinished(() => nginx.stop());
  return nginx;
}
