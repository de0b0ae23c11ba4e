import { type Finding, failed, ok } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** Oldest version of Node that Photinus runs on. */
const OLDEST = [20, 19] as const;

/** What a version of Node means. */
export function judgeNodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld
    ? failed("ERR_CONFIG_INVALID", `Node ${version}`, `Install Node ${OLDEST.join(".")} or newer.`)
    : ok(`Node ${version} on ${process.platform} ${process.arch}`);
}

/** Is Node new enough? */
export const nodeVersion: Probe = {
  name: "node",
  run: async () => judgeNodeVersion(process.versions.node),
};
