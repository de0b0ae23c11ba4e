import { messagePortConnection, webCrypto } from "@photinus/core/platform";
import { acceptSession, connectSession, on } from "@photinus/core/session";
import { bytesSink, bytesSource, makeManifest } from "@photinus/core/stream";
import { seededRandom, TEST_EPOCH_MS, testProject, virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { upload } from "../session/messages.ts";

test("a session with a stream runs over a MessageChannel as over any connection", async () => {
  const { project, root, server, sites, revocations } = await testProject();
  const crypto = webCrypto();
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  const identity = sites.get("site-1");
  if (identity === undefined) throw new Error("no site");
  const { port1, port2 } = new MessageChannel();
  const common = { project, root: root.certificate.der };
  const [client, accepted] = await Promise.all([
    connectSession(
      messagePortConnection(port1),
      { ...common, identity, serverName: "hub" },
      { crypto, clock },
    ),
    acceptSession(
      messagePortConnection(port2),
      { ...common, identity: server, revocations },
      { crypto, clock },
    ),
  ]);
  const content = seededRandom(4).bytes(300_000);
  const { sink, bytes } = bytesSink(content.length);
  const received = new Promise<void>((resolve, reject) => {
    const route = on(upload, ({ manifest }, _, session) => {
      session.acceptStream(manifest, sink).then(resolve, reject);
    });
    accepted.receive({ routes: [route] });
  });
  client.receive({ routes: [] });

  const source = bytesSource(content);
  const manifest = await makeManifest(source, { totalBytes: content.length }, { crypto, clock });
  await client.send(upload, { manifest });
  await client.sendStream(manifest, source);
  await received;

  expect(bytes).toEqual(content);
  await client.close("ERR_GOING_AWAY", "done");
  expect((await accepted.ended).local).toBe(false);
});
