import { type Bytes, concatBytes } from "@photinus/core/bytes";
import { builtInRegistry, encode } from "@photinus/core/decomposer";
import { jobAccept, jobSubmit, siteReady, task } from "@photinus/core/message";
import { seededRandom } from "@photinus/core/testing";
import { FRAME_KIND, MAX_FRAME_BYTES, readFrame, writeFrame } from "@photinus/core/wire";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { atWork, type Ground } from "./equipment/a-ground.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const UNLIMITED = { server: { limits: { upgradesPerMinute: 1_000_000 } } };

/** MessagePack of arrays within arrays. */
function nested(depth: number): Bytes {
  return concatBytes(new Uint8Array(depth).fill(0x91), Uint8Array.of(0xc0));
}

/** Sends frames on a fresh socket without any handshake. @returns kinds of the answers, and the close code */
async function sendClear(
  ground: Ground,
  frames: readonly Bytes[],
): Promise<{ readonly kinds: readonly number[]; readonly closeCode: number }> {
  const connection = await ground.connector.connect(new AbortController().signal);
  for (const frame of frames) connection.send(frame);
  const kinds: number[] = [];
  for await (const frame of connection.frames) kinds.push(readFrame(frame).kind);
  return { kinds, closeCode: (await connection.ended).closeCode };
}

test("random bytes in place of a handshake are answered alike and dropped", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const random = seededRandom("hostile/handshake");

  for (const length of [0, 1, 11, 12, 13, 44, 100, 4096, 65_535, 65_536]) {
    const { kinds, closeCode } = await sendClear(ground, [random.bytes(length)]);
    expect(kinds, `${length} bytes`).toEqual([FRAME_KIND.error]);
    expect(closeCode).toBe(4003);
  }

  await ground.survives(job);
  await ground.server.stop();
  const refused = (await ground.events("login")).filter(({ outcome }) => outcome === "refused");
  expect(refused.map(({ details }) => details["count"])).toEqual([undefined, 9]);
});

test("a frame of every kind in place of message 1 is refused before anything of it is decoded", async () => {
  const { ground, job } = await atWork(UNLIMITED);

  for (let kind = 0; kind <= 255; kind += kind < 16 ? 1 : 80) {
    const frame = writeFrame(FRAME_KIND.message, { payload: nested(1000) });
    frame[3] = kind;
    expect(await sendClear(ground, [frame]), `kind ${kind}`).toEqual({
      kinds: [FRAME_KIND.error],
      closeCode: 4003,
    });
  }

  await ground.survives(job);
});

test("a handshake message that offers a million versions is refused by its length", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const ephemeral = new Uint8Array(32).fill(9);
  const offer = Uint8Array.of(0x92, 0xdd, 0, 0x0f, 0x42, 0x40);

  const outcome = await sendClear(ground, [
    writeFrame(FRAME_KIND.handshake1, { payload: concatBytes(ephemeral, offer) }),
  ]);

  expect(outcome).toEqual({ kinds: [FRAME_KIND.error], closeCode: 4003 });
  await ground.survives(job);
});

test("an oversized frame is cut off by the socket before it is in memory", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const socket = new WebSocket(ground.address.socketUrl, ["photinus.v1"]);
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("open", resolve));

  socket.send(new Uint8Array(MAX_FRAME_BYTES + 1));

  expect(await closed).toBe(1009);
  await ground.survives(job);
});

test("a handshake frame above 65 535 bytes is refused though the socket would take it", async () => {
  const { ground, job } = await atWork(UNLIMITED);

  const frame = writeFrame(FRAME_KIND.handshake1, { payload: new Uint8Array(65_536) });

  expect(await sendClear(ground, [frame])).toEqual({ kinds: [FRAME_KIND.error], closeCode: 4003 });
  const refused = (await ground.events("login")).filter(({ outcome }) => outcome === "refused");
  expect(refused.map(({ reason }) => reason)).toEqual(["ERR_TOO_LARGE"]);
  await ground.survives(job);
});

test("text in place of a frame ends the connection", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const socket = new WebSocket(ground.address.socketUrl, ["photinus.v1"]);
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("open", resolve));

  socket.send("hello");

  expect(await closed).toBeGreaterThanOrEqual(4000);
  await ground.survives(job);
});

test("a deeply nested payload is refused, and the session goes on", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);

  await peer.sendInner(peer.message(siteReady.type, nested(33)));
  expect(await peer.refusal()).toBe("ERR_DECODE_REFUSED");
  await peer.sendInner(peer.message(siteReady.type, nested(900_000)));
  expect(await peer.refusal()).toBe("ERR_DECODE_REFUSED");

  await ground.survives(job);
});

const BROKEN: readonly (readonly [name: string, payload: Bytes])[] = [
  ["an array of four billion values", Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ["a map of four billion entries", Uint8Array.of(0xdf, 0xff, 0xff, 0xff, 0xff)],
  ["a string of four gigabytes", Uint8Array.of(0xdb, 0xff, 0xff, 0xff, 0xff)],
  ["bytes that reach beyond the payload", Uint8Array.of(0xc4, 0x05, 0x00)],
  ["an extension that nobody registered", Uint8Array.of(0xd4, 0x63, 0x00)],
  ["a key that occurs twice", Uint8Array.of(0x82, 0xa1, 0x61, 0x01, 0xa1, 0x61, 0x02)],
  ["a number that is not in its shortest form", Uint8Array.of(0xcd, 0x00, 0x01)],
  ["text that is not UTF-8", Uint8Array.of(0xa2, 0xff, 0xfe)],
  ["something after the value", Uint8Array.of(0xc0, 0xc0)],
  ["nothing", new Uint8Array(0)],
];

test("a payload that is not strict MessagePack is refused, and the session goes on", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);

  for (const [name, payload] of BROKEN) {
    await peer.sendInner(peer.message(siteReady.type, payload));
    expect(await peer.refusal(), name).toBe("ERR_DECODE_REFUSED");
  }

  await ground.survives(job);
});

test("a key named __proto__ changes no prototype and is no field", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);
  const [key, value] = ["__proto__", "polluted"].map((text) => encode(text, builtInRegistry()));
  if (key === undefined || value === undefined) throw new RangeError("unreachable");
  const inner = concatBytes(Uint8Array.of(0x81), value, Uint8Array.of(0xc3));

  await peer.sendInner(peer.message(siteReady.type, concatBytes(Uint8Array.of(0x81), key, inner)));

  expect(await peer.refusal()).toMatch(/^ERR_(DECODE_REFUSED|MESSAGE_MALFORMED)$/);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  await ground.survives(job);
});

test("a message of a type that is unknown, the server's or a user's is refused, and the session goes on", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);

  for (const type of [9999, task.type, jobSubmit.type]) {
    await peer.sendInner(await peer.signed({ type, body: {} }));
    expect(await peer.refusal(), `type ${type}, signed`).toBe("ERR_TYPE_UNKNOWN");
    await peer.sendInner(peer.message(type, Uint8Array.of(0x80)));
    expect(await peer.refusal(), `type ${type}`).toBe("ERR_TYPE_UNKNOWN");
  }

  await ground.survives(job);
});

test("a message that must be signed is refused when it is not", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);
  const body = encode({ jobId: job.jobId, terms: "" }, builtInRegistry());

  await peer.sendInner(peer.message(jobAccept.type, body));

  expect(await peer.refusal()).toBe("ERR_TYPE_UNKNOWN");
  await ground.survives(job);
});

test("random bytes inside the session end it", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const random = seededRandom("hostile/session");

  for (const length of [0, 11, 12, 500, 100_000]) {
    const peer = await RawPeer.connect(ground);
    await peer.sendInner(random.bytes(length));
    expect((await peer.end()).code, `${length} bytes`).toMatch(/^ERR_(FRAME_MALFORMED|VERSION_UNSUPPORTED)$/);
  }

  await ground.survives(job);
});

test("frames inside the session that are malformed or belong outside end it", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const { checkpoint, rekey, welcome, blob, session } = FRAME_KIND;

  for (const kind of [checkpoint, rekey, welcome, blob, session]) {
    const peer = await RawPeer.connect(ground);
    await peer.sendInner(writeFrame(kind, { payload: new Uint8Array(40) }));
    expect(await peer.end(), `kind ${kind}`).toMatchObject({ code: "ERR_FRAME_MALFORMED", closeCode: 4000 });
  }

  await ground.survives(job);
});
