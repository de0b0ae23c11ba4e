import { type CredentialSource, openSession, type Session } from "@photinus/core/session";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import type { RunningServer } from "./a-server.ts";

/** A session of a participant of the server's project, with what the server wants beside the certificate. */
export async function login(
  server: RunningServer,
  name: string,
  credentials: CredentialSource | undefined,
): Promise<Session> {
  const { identity, configuration, root } = await server.kitOf(name);
  const connector = webSocketConnector({ url: server.socketUrl });
  const { project, server: of } = configuration;
  return await openSession(
    (signal) => connector.connect(signal),
    { session: { identity, project, root: root.der, serverName: of.name }, credentials },
    { clock: systemClock(), crypto: nodeCrypto(), signal: new AbortController().signal },
  );
}
