import { HostError } from "@photinus/core/errors";

/** Port that the demo asks for first. */
export const DEFAULT_PORT = 8_080;
/** Ports after it that are tried. */
const TRIES = 50;

/**
 * Starts something at the wanted port; without one at the first free port from {@link DEFAULT_PORT} on.
 * @throws HostError `ERR_PORT_IN_USE` when the wanted port is taken, or all that were tried
 */
export async function startAtPort<T>(
  wanted: number | undefined,
  start: (port: number) => Promise<T>,
): Promise<T> {
  if (wanted !== undefined) return await start(wanted);
  for (let port = DEFAULT_PORT; ; port++) {
    try {
      return await start(port);
    } catch (error) {
      const isTaken = error instanceof HostError && error.code === "ERR_PORT_IN_USE";
      if (!isTaken || port === DEFAULT_PORT + TRIES) throw error;
    }
  }
}
