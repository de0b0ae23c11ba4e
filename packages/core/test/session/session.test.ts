import * as v from "valibot";
import { expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import { defineMessage } from "../../src/message/index.ts";
import { on, type ReceivedMessage } from "../../src/session/index.ts";
import { sessionPair, testProject } from "../../src/testing/index.ts";

const note = defineMessage(
  { type: 900, name: "note", signed: false, from: ["site", "server"] },
  v.strictObject({ text: v.string() }),
);
const order = defineMessage(
  { type: 901, name: "order", signed: true, from: ["site", "server"] },
  v.strictObject({ text: v.string() }),
);
const project = await testProject();

test("both sides know each other and have the same session id", async () => {
  const { client, server } = await sessionPair({ project });

  expect(toHex(client.id)).toBe(toHex(server.id));
  expect(client.id).toHaveLength(32);
  expect(client.peer.name).toBe("hub");
  expect(server.peer.name).toBe("site-1");
  expect(server.peer.role).toBe("site");
  expect(client.self).toEqual(server.peer);
  expect([client.scope, server.scope]).toEqual(["full", "full"]);
});

test("messages arrive in order, signed ones with author, time and proof", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const got: [string, ReceivedMessage][] = [];
  server.receive({
    routes: [
      on(note, ({ text }, message) => void got.push([text, message])),
      on(order, ({ text }, message) => void got.push([text, message])),
    ],
  });

  await client.send(note, { text: "one" }, { scope: "job/1" });
  const id = await client.send(order, { text: "two" });
  await client.send(note, { text: "three" }, { inReplyTo: id });
  await clock.settle();

  expect(got.map(([text]) => text)).toEqual(["one", "two", "three"]);
  expect(got[0]?.[1]).toMatchObject({ scope: "job/1", issuedAt: undefined, signedFrame: undefined });
  expect(got[1]?.[1]).toMatchObject({ issuedAt: clock.now(), messageId: id });
  expect(got[1]?.[1].signedFrame).toBeInstanceOf(Uint8Array);
  expect(got[2]?.[1].inReplyTo).toEqual(id);
  expect(got.every(([, { from }]) => from.name === "site-1")).toBe(true);
});

test("the server sends as well", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const got: string[] = [];
  client.receive({ routes: [on(order, ({ text }) => void got.push(text))] });

  await server.send(order, { text: "train" });
  await clock.settle();

  expect(got).toEqual(["train"]);
});

test("an orderly close tells the peer code and detail", async () => {
  const { client, server, clock } = await sessionPair({ project });
  server.receive({ routes: [] });
  client.receive({ routes: [] });

  await server.close("ERR_SUPERSEDED", "another session took over");
  await clock.settle();

  expect(await client.ended).toEqual({
    code: "ERR_SUPERSEDED",
    detail: "another session took over",
    local: false,
  });
  expect(await server.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: true });
  expect(client.signal.aborted).toBe(true);
  await expect(client.send(note, { text: "late" })).rejects.toMatchObject({ code: "ERR_SUPERSEDED" });
  expect(clock.pendingTimers).toBe(0);
});
