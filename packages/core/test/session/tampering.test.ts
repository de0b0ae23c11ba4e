import { expect, test } from "vitest";
import { type Bytes, concatBytes } from "../../src/bytes/index.ts";
import { writeError } from "../../src/envelope/index.ts";
import { on } from "../../src/session/index.ts";
import { sessionPair } from "../../src/testing/index.ts";
import { FRAME_KIND, writeFrame } from "../../src/wire/index.ts";
import { anAttack, endOf, project } from "./an-attack.ts";
import { note } from "./messages.ts";

// On the way: whoever sits between cannot alter, repeat, reorder, drop or add.

const recordOf = 28;

test.for([
  ["the magic", 0, "ERR_FRAME_MALFORMED"],
  ["the version", 2, "ERR_VERSION_UNSUPPORTED"],
  ["the kind", 3, "ERR_FRAME_MALFORMED"],
  ["the header length", 5, "ERR_FRAME_MALFORMED"],
  ["the tag length", 7, "ERR_FRAME_MALFORMED"],
  ["the payload length", 11, "ERR_FRAME_MALFORMED"],
  ["the tag", 12, "ERR_SEQUENCE_GAP"],
  ["the end of the tag", 27, "ERR_SEQUENCE_GAP"],
  ["the encrypted prefix", recordOf, "ERR_SEQUENCE_GAP"],
  ["the encrypted header", recordOf + 14, "ERR_SEQUENCE_GAP"],
  ["the encrypted payload", -1, "ERR_SEQUENCE_GAP"],
] as const)("a session frame with an altered byte in %s ends the session", async ([, position, code]) => {
  let isOn = false;
  const { client, server, clock } = await sessionPair({
    project,
    transport: {
      toServer: (frame) => {
        if (!isOn) return frame;
        const altered = Uint8Array.from(frame);
        altered[position < 0 ? altered.length - 1 : position]! ^= 4;
        return altered;
      },
    },
  });
  const got: string[] = [];
  server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });
  client.receive({ routes: [] });
  isOn = true;

  await client.send(note, { text: "x" });
  await clock.settle();

  expect(await server.ended).toMatchObject({ code, local: true });
  expect(await client.ended).toMatchObject({ code, local: false });
  expect(got).toEqual([]);
});

test.for([
  ["replayed", (frame: Bytes) => [frame, frame], ["1"]],
  ["dropped", (_: Bytes, index: number) => (index === 0 ? undefined : _), []],
  ["truncated", (frame: Bytes) => frame.subarray(0, frame.length - 1), []],
  ["extended", (frame: Bytes) => concatBytes(frame, Uint8Array.of(0)), []],
] as const)("a session frame that is %s ends the session", async ([, interfere, expected]) => {
  let from = Number.POSITIVE_INFINITY;
  const { client, server, clock } = await sessionPair({
    project,
    transport: { toServer: (frame, index) => (index < from ? frame : interfere(frame, index - from)) },
  });
  const got: string[] = [];
  server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });
  client.receive({ routes: [] });
  from = 2;

  await client.send(note, { text: "1" });
  await client.send(note, { text: "2" }).catch(() => undefined);
  await clock.settle();

  expect(server.signal.aborted).toBe(true);
  expect(got).toEqual(expected);
});

test("session frames in another order end the session", async () => {
  const held: Bytes[] = [];
  const { client, server, clock } = await sessionPair({
    project,
    transport: {
      toServer: (frame, index) => {
        if (index < 2) return frame;
        held.push(frame);
        return held.length === 2 ? held.reverse() : undefined;
      },
    },
  });
  server.receive({ routes: [on(note, () => undefined)] });

  await client.send(note, { text: "1" });
  await client.send(note, { text: "2" });
  await clock.settle();

  expect(await server.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP" });
});

test("a frame of one session is of no use in another", async () => {
  const first = await sessionPair({ project, transport: { record: true } });
  await first.client.send(note, { text: "transfer" });
  const recorded = first.connections.sentByClient.at(-1)!;
  const second = await sessionPair({ project });
  second.server.receive({ routes: [on(note, () => undefined)] });

  second.connections.injectToServer(recorded);
  await second.clock.settle();

  expect(await second.server.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP" });
});

test("a frame that is sent back to its sender ends the session", async () => {
  const pair = await sessionPair({ project, transport: { record: true } });
  pair.client.receive({ routes: [on(note, () => undefined)] });
  await pair.client.send(note, { text: "x" });

  pair.connections.injectToClient(pair.connections.sentByClient.at(-1)!);
  await pair.clock.settle();

  expect(await pair.client.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP" });
});

test.for(Object.entries(FRAME_KIND).filter(([name]) => name !== "session" && name !== "blob"))(
  "a %s frame outside SESSION ends the session",
  async ([, kind]) => {
    const client = await anAttack();

    client.sendOuter(writeFrame(kind, {}));

    expect(await endOf(client)).toBe("ERR_FRAME_MALFORMED");
  },
);

test("a clear ERROR cannot end a session in the name of the peer", async () => {
  const client = await anAttack();

  client.sendOuter(writeError({ code: "ERR_SUPERSEDED", detail: "go away" }));

  await client.clock.settle();
  expect(await client.server.ended).toMatchObject({ code: "ERR_FRAME_MALFORMED", local: true });
});

test("a frame over 1 MiB + 1 KiB ends the session before it is looked at", async () => {
  const client = await anAttack();

  client.sendOuter(new Uint8Array(1024 * 1025 + 1));

  expect(await endOf(client)).toBe("ERR_TOO_LARGE");
});
