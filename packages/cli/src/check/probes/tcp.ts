import { once } from "node:events";
import { connect } from "node:net";
import { explainRefusal } from "@photinus/node-platform";
import { type Finding, failed, failedBy, ok } from "../finding.ts";
import { stepSignal, tunnelOf, type Way, type WayProbe } from "../way.ts";

/** Does anything listen there; through the proxy, where one is named? */
export const tcp: WayProbe = {
  name: "tcp",
  run: (way) => (way.proxy === undefined ? direct(way) : throughProxy(way, way.proxy)),
};

async function direct(way: Way): Promise<Finding> {
  const { host, port } = way;
  const begin = performance.now();
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: stepSignal(way) });
    return ok(`${socket.remoteAddress} port ${port} in ${Math.round(performance.now() - begin)} ms`);
  } catch (error) {
    const isLate = error instanceof Error && error.name === "AbortError";
    return failed(
      "ERR_CONNECTION_REFUSED",
      isLate
        ? `${host} port ${port}: nothing answered in time`
        : explainRefusal(`${host} port ${port}`, error),
      "Start the server, correct address and port, or open the way in the firewalls between.",
    );
  } finally {
    socket.destroy();
  }
}

async function throughProxy(way: Way, { host, port }: NonNullable<Way["proxy"]>): Promise<Finding> {
  try {
    (await tunnelOf(way))?.destroy();
    return ok(`by a tunnel of the proxy ${host}:${port}`);
  } catch (error) {
    const { seen } = failedBy(error, "ERR_CONNECTION_REFUSED");
    return failed(
      "ERR_CONNECTION_REFUSED",
      seen,
      "Put address, name and password of the proxy into HTTPS_PROXY, or have the server allowed there; NO_PROXY names what is reached without.",
    );
  }
}
