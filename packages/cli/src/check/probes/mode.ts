import { failed, ok, skipped } from "../finding.ts";
import type { WayProbe } from "../way.ts";

/** Is the server reached as the kit says? */
export const mode: WayProbe = {
  name: "mode",
  async run({ subject, url, isSecure }) {
    const security = subject.kit?.configuration.security;
    if (security === undefined) return skipped("the kit is not in order");
    if (isSecure !== (security === "clear")) return ok(security);
    return failed("ERR_TLS_MODE", `the kit says ${security}, and ${url} is ${isSecure ? "TLS" : "clear"}`);
  },
};
