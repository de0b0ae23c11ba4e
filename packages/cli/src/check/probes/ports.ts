import { once } from "node:events";
import { createServer } from "node:net";
import { failed, ok, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** Servers: can the address be listened at? */
export function portProbe(host: string, port: number): Probe {
  return {
    name: `port ${port}`,
    async run() {
      const server = createServer();
      try {
        server.listen(port, host);
        await once(server, "listening");
        return ok(`free at ${host}`);
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code === "EADDRINUSE") {
          return warning(
            `in use at ${host}`,
            "If that is not this server, which already runs, choose another with --port.",
          );
        }
        return failed(
          "ERR_ADDRESS_UNUSABLE",
          `cannot be listened at ${host} (${code})`,
          code === "EACCES"
            ? "Choose a port above 1023, or give the service CAP_NET_BIND_SERVICE."
            : "Choose an address of this machine by --host.",
        );
      } finally {
        server.close();
      }
    },
  };
}
