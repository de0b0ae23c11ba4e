import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { explainRefusal } from "@photinus/node-platform";
import { failed, ok, skipped } from "../finding.ts";
import type { WayProbe } from "../way.ts";

/** Is the name known? */
export const dns: WayProbe = {
  name: "dns",
  async run({ host, proxy }) {
    if (isIP(host) !== 0) return ok(`${host} is an address`);
    if (proxy !== undefined) return skipped("the proxy resolves the name");
    try {
      const found = await lookup(host, { all: true });
      return ok(`${host} is ${found.map(({ address }) => address).join(", ")}`);
    } catch (error) {
      return failed(
        "ERR_CONNECTION_REFUSED",
        explainRefusal(host, error),
        "Check the spelling of the name and the resolver of this machine, or name another address by --server.",
      );
    }
  },
};
