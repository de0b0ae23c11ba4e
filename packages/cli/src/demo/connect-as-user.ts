import { connect, type Federation } from "@photinus/core/console";
import { nodeTransport } from "@photinus/node-client";
import { openHostKit } from "@photinus/node-platform";
import { type DemoServer, kitOf } from "./demo-server.ts";

/** Connects as the demo's user, by the user's own kit and a session like any other. */
export async function connectAsUser({ project, socketUrl }: DemoServer): Promise<Federation> {
  const [user] = project.definition.users;
  const { files, secret } = kitOf(project, user?.name ?? "");
  const { kit, tls } = await openHostKit(files, secret);
  return await connect({ kit, transport: nodeTransport({ kit, tls, server: socketUrl }) });
}
