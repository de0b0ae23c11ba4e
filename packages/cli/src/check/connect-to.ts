import type { Connection } from "@photinus/core/platform";
import { webSocketConnector } from "@photinus/node-platform";
import { stepSignal, type Way } from "./way.ts";

/** Opens a socket as a process of this kit would. @throws WireError `ERR_CONNECTION_REFUSED` */
export async function connectTo(way: Way): Promise<Connection> {
  const { url, authorities, proxy, subject } = way;
  const { opened } = subject;
  const connector = webSocketConnector({
    ...{ url, ca: authorities },
    ...(opened !== undefined ? { clientCertificate: opened.tls } : {}),
    ...(proxy === undefined ? {} : { proxy }),
  });
  return await connector.connect(stepSignal(way));
}
