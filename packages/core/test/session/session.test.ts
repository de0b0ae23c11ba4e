import { expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import { EnvelopeError, JobError, WireError } from "../../src/errors/index.ts";
import { plainParticipant } from "../../src/pki/index.ts";
import { on, type ReceivedMessage, type Refusal } from "../../src/session/index.ts";
import { sessionPair, testProject } from "../../src/testing/index.ts";
import { decree, note, order } from "./messages.ts";

const project = await testProject();

test("both sides know each other and have the same session id", async () => {
  const { client, server } = await sessionPair({ project });

  expect(toHex(client.id)).toBe(toHex(server.id));
  expect(client.id).toHaveLength(32);
  expect(client.peer.name).toBe("hub");
  expect(server.peer.name).toBe("site-1");
  expect(server.peer.role).toBe("site");
  expect(client.self).toEqual(plainParticipant(server.peer));
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

test("a handler that refuses answers with an ERROR and the session goes on", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const refusals: Refusal[] = [];
  const got: string[] = [];
  client.receive({ routes: [], onRefused: (refusal) => void refusals.push(refusal) });
  server.receive({
    routes: [
      on(note, ({ text }) => {
        if (text === "bad") throw new JobError("ERR_JOB_UNKNOWN", "no such job");
        got.push(text);
      }),
    ],
  });

  const id = await client.send(note, { text: "bad" });
  await client.send(note, { text: "good" });
  await clock.settle();

  expect(refusals).toMatchObject([{ code: "ERR_JOB_UNKNOWN", inReplyTo: id, detail: "no such job" }]);
  expect(got).toEqual(["good"]);
  expect(server.signal.aborted).toBe(false);
});

test("a handler that throws a fault which closes ends the session for both", async () => {
  const { client, server, clock } = await sessionPair({ project });
  client.receive({ routes: [] });
  server.receive({
    routes: [
      on(note, () => {
        throw new WireError("ERR_BUSY", "come back later");
      }),
      on(order, () => {
        throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "seen before");
      }),
    ],
  });

  await client.send(note, { text: "x" });
  await clock.settle();
  expect(client.signal.aborted).toBe(false);
  await client.send(order, { text: "x" });
  await clock.settle();

  expect(await client.ended).toMatchObject({ code: "ERR_ENVELOPE_REPLAYED", local: false });
});

test("an error that is not of Photinus is told as internal, without its words", async () => {
  const { client, server, clock } = await sessionPair({ project });
  client.receive({ routes: [] });
  server.receive({
    routes: [
      on(note, () => {
        throw new Error("secret at /etc/shadow");
      }),
    ],
  });

  await client.send(note, { text: "x" });
  await clock.settle();

  expect(await client.ended).toEqual({ code: "ERR_INTERNAL", detail: "internal error", local: false });
});

test("refuses a type without a route, a role that may not send it, and a malformed body, and goes on", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const refusals: Refusal[] = [];
  client.receive({ routes: [], onRefused: (refusal) => void refusals.push(refusal) });
  server.receive({ routes: [on(decree, () => undefined), on(note, () => undefined)] });

  await client.send(order, { text: "x" });
  await client.send(decree, { text: "x" });
  await client.send({ ...note, signed: true }, { text: "x" });
  await client.send(note, { text: "y".repeat(1001) });
  await clock.settle();

  expect(refusals.map(({ code }) => code)).toEqual([
    "ERR_TYPE_UNKNOWN",
    "ERR_TYPE_UNKNOWN",
    "ERR_TYPE_UNKNOWN",
    "ERR_MESSAGE_MALFORMED",
  ]);
  expect(server.signal.aborted).toBe(false);
});

test("handlers run one after another in order of arrival", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const trace: string[] = [];
  server.receive({
    routes: [
      on(note, async ({ text }) => {
        trace.push(`${text} begins`);
        await clock.yield();
        trace.push(`${text} ends`);
      }),
    ],
  });

  await Promise.all([client.send(note, { text: "a" }), client.send(note, { text: "b" })]);
  await clock.settle();

  expect(trace).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("what arrives before receive is called waits for it", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const got: string[] = [];
  await client.send(note, { text: "early" });
  await clock.settle();

  server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });
  await clock.settle();

  expect(got).toEqual(["early"]);
  expect(() => server.receive({ routes: [] })).toThrow(TypeError);
});

test("two routes for one type are a fault of the caller", async () => {
  const { server } = await sessionPair({ project });

  expect(() => server.receive({ routes: [on(note, () => undefined), on(note, () => undefined)] })).toThrow(
    TypeError,
  );
});

test("messages that the peer sent before its end are handled before the end is told", async () => {
  const { client, server, clock } = await sessionPair({ project });
  const trace: string[] = [];
  server.receive({
    routes: [
      on(note, async ({ text }) => {
        await clock.yield();
        trace.push(text);
      }),
    ],
  });
  void server.ended.then(({ code }) => trace.push(code));

  await client.send(note, { text: "first" });
  await client.send(note, { text: "last" });
  await client.close("ERR_GOING_AWAY", "done");
  await clock.settle();

  expect(trace).toEqual(["first", "last", "ERR_GOING_AWAY"]);
});

test("a lost connection ends both sides and everything that waits", async () => {
  const { client, server, clock, connections } = await sessionPair({ project });
  server.receive({ routes: [] });
  client.receive({ routes: [] });

  connections.cut();
  await clock.settle();

  expect(await client.ended).toMatchObject({ code: "ERR_CONNECTION_LOST", local: false });
  expect(await server.ended).toMatchObject({ code: "ERR_CONNECTION_LOST", local: false });
  expect(clock.pendingTimers).toBe(0);
});

test("a session that does not receive yet also sees the connection end", async () => {
  const { server, clock, connections } = await sessionPair({ project });

  connections.cut();
  await clock.advance(0); // in the turn after: what came before the end may still be read

  expect(await server.ended).toMatchObject({ code: "ERR_CONNECTION_LOST" });
});

test("counts the bytes of the connection in both directions, handshake included", async () => {
  const { client, server, clock } = await sessionPair({ project });
  server.receive({ routes: [] });
  client.receive({ routes: [] });
  await clock.settle();

  expect(client.traffic.sentBytes).toBe(server.traffic.receivedBytes);
  expect(client.traffic.receivedBytes).toBe(server.traffic.sentBytes);
  expect(client.traffic.sentBytes).toBeGreaterThan(500);
});

test("closing twice waits for the same end", async () => {
  const { client, server, clock } = await sessionPair({ project });
  server.receive({ routes: [] });

  await Promise.all([client.close("ERR_GOING_AWAY", "first"), client.close("ERR_INTERNAL", "second")]);
  await client.close("ERR_INTERNAL", "third");
  await clock.settle();

  expect(await client.ended).toMatchObject({ code: "ERR_GOING_AWAY", detail: "first" });
  expect(await server.ended).toMatchObject({ code: "ERR_GOING_AWAY", detail: "first" });
});
