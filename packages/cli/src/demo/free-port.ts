import { once } from "node:events";
import { createServer } from "node:net";
import { HostError } from "@photinus/core/errors";

/** Port that the demo asks for first. */
export const DEFAULT_PORT = 8_080;
/** Ports after it that are tried. */
const TRIES = 50;

/**
 * The wanted port; without one the first that is free from {@link DEFAULT_PORT} on.
 * @param probe tells the port that it could listen at
 * @throws HostError `ERR_PORT_IN_USE` when the wanted port is taken, or all that were tried
 */
export async function choosePort(
  wanted: number | undefined,
  probe: (port: number) => Promise<number>,
): Promise<number> {
  if (wanted !== undefined) return await probe(wanted);
  for (let port = DEFAULT_PORT; ; port++) {
    try {
      return await probe(port);
    } catch (error) {
      const isTaken = error instanceof HostError && error.code === "ERR_PORT_IN_USE";
      if (!isTaken || port === DEFAULT_PORT + TRIES) throw error;
    }
  }
}

/**
 * Listens for a moment at a port, or at a free one for 0.
 * @returns the port
 * @throws HostError `ERR_PORT_IN_USE`, `ERR_ADDRESS_UNUSABLE`
 */
export async function probePort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  } catch (cause) {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    const code = isTaken ? "ERR_PORT_IN_USE" : "ERR_ADDRESS_UNUSABLE";
    throw new HostError(code, `port ${port} of ${host} ${isTaken ? "is in use" : "cannot be used"}`, {
      cause,
    });
  } finally {
    server.close();
  }
}
