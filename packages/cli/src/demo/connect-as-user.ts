import { connect, type Federation } from "@photinus/core/console";
import { serverConnector } from "@photinus/node-client";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { openHostKit } from "../commands/open-kit-folder.ts";
import { type DemoServer, kitOf } from "./demo-server.ts";

/** Connects as the demo's user, by the user's own kit and a session like any other. */
export async function connectAsUser({ project, socketUrl }: DemoServer): Promise<Federation> {
  const [user] = project.definition.users;
  const { files, secret } = kitOf(project, user?.name ?? "");
  const { kit, tls } = await openHostKit(files, secret);
  return await connect(
    {
      identity: kit.identity,
      project: kit.configuration.project,
      root: kit.root.der,
      serverName: kit.configuration.server.name,
    },
    {
      connector: serverConnector({ kit, tls, server: socketUrl }),
      clock: systemClock(),
      crypto: nodeCrypto(),
    },
  );
}
