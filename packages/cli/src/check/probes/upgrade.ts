import { connectTo } from "../connect-to.ts";
import { failed, failedBy, ok } from "../finding.ts";
import type { WayProbe } from "../way.ts";

/** Does the address take WebSockets, through all proxies between? */
export const upgrade: WayProbe = {
  name: "upgrade",
  async run(way) {
    try {
      const connection = await connectTo(way);
      connection.close(1000, "");
      return ok("HTTP 101");
    } catch (error) {
      const { seen, code = "ERR_CONNECTION_REFUSED" } = failedBy(error, "ERR_CONNECTION_REFUSED");
      return failed(
        code,
        seen,
        "In a proxy set proxy_http_version 1.1, Upgrade and Connection for /ws, and hand on Host; see docs/guide/ingress.md.",
      );
    }
  },
};
