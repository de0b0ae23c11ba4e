import type { Bytes } from "../../src/bytes/index.ts";
import { writeMessage } from "../../src/envelope/index.ts";
import { on } from "../../src/session/index.ts";
import { bytesSink } from "../../src/stream/index.ts";
import { type TestProject, testProject } from "../../src/testing/index.ts";
import { type HostileClient, hostileClient } from "./hostile-client.ts";
import { note, order, upload } from "./messages.ts";

/** Project of all attacks of a file. */
export const project: TestProject = await testProject();

/** What the server handed to its application. */
export interface Handled {
  readonly texts: string[];
  readonly objects: string[];
}

/** A hostile client in a session with a server that notes what it handles. */
export async function anAttack(): Promise<HostileClient & { readonly handled: Handled }> {
  const handled: Handled = { texts: [], objects: [] };
  const client = await hostileClient(project, {
    routes: [
      on(note, ({ text }) => void handled.texts.push(text)),
      on(order, ({ text }) => void handled.texts.push(text)),
      on(upload, async ({ manifest }, _, session) => {
        await session.acceptStream(manifest, bytesSink(manifest.totalBytes).sink);
      }),
    ],
    onObject: ({ signer }) => void handled.objects.push(signer.name),
  });
  return { ...client, handled };
}

/** How the session of the server ended: its code, or that it goes on. */
export async function endOf(client: HostileClient): Promise<string> {
  await client.clock.settle();
  if (!client.server.signal.aborted) return "goes on";
  return (await client.server.ended).code;
}

/** A MESSAGE frame with this body. */
export const messageFrame = (client: HostileClient, body: Bytes, type = 900): Bytes =>
  writeMessage(
    {
      type,
      messageId: new Uint8Array(16),
      inReplyTo: undefined,
      scope: undefined,
      tokenRef: client.tokenRef,
    },
    body,
  );

/** The bytes with one of them replaced. */
export function withByte(bytes: Bytes, position: number, value: number): Bytes {
  const altered = Uint8Array.from(bytes);
  altered[position] = value;
  return altered;
}
