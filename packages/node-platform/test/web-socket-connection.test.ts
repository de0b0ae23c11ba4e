import { LOW_WATER_BYTES, MAX_FRAME_BYTES } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { connectionPair, take } from "./loopback.ts";

test("delivers frames in order, whole, in both directions", async () => {
  const { client, server } = await connectionPair();

  for (let index = 0; index < 200; index++) client.send(new Uint8Array(index * 10).fill(index));
  server.send(Uint8Array.of(7, 8));

  const received = await take(server.frames[Symbol.asyncIterator](), 200);
  expect(received.map((frame) => frame.byteLength)).toEqual(Array.from({ length: 200 }, (_, i) => i * 10));
  expect(received.every((frame, index) => frame.every((byte) => byte === index))).toBe(true);
  expect(await take(client.frames[Symbol.asyncIterator](), 1)).toEqual([Uint8Array.of(7, 8)]);
});

test("hands out plain Uint8Arrays whose slice copies", async () => {
  const { client, server } = await connectionPair();

  client.send(Uint8Array.of(1, 2, 3));

  const [frame] = await take(server.frames[Symbol.asyncIterator](), 1);
  expect(Object.getPrototypeOf(frame)).toBe(Uint8Array.prototype);
  expect(frame?.slice().buffer).not.toBe(frame?.buffer);
});

test("leaves the bytes it sends unchanged although a client masks them", async () => {
  const { client, server } = await connectionPair();
  const frame = Uint8Array.from({ length: 5_000 }, (_, index) => index);
  const before = frame.slice();

  client.send(frame);
  await take(server.frames[Symbol.asyncIterator](), 1);

  expect(frame).toEqual(before);
});

test("takes a frame of the largest size and closes with 1009 on a larger one", async () => {
  const { client, server } = await connectionPair();
  const frames = server.frames[Symbol.asyncIterator]();

  client.send(new Uint8Array(MAX_FRAME_BYTES));
  expect((await take(frames, 1))[0]?.byteLength).toBe(MAX_FRAME_BYTES);
  client.send(new Uint8Array(MAX_FRAME_BYTES + 1));

  expect(await take(frames, 1)).toEqual([]);
  expect((await client.ended).closeCode).toBe(1009);
});

test("pauses a peer whose frames nobody reads, and loses none of them", async () => {
  const { client, server, serverSocket } = await connectionPair(256 * 1024);
  const frame = new Uint8Array(64 * 1024);
  const count = 400; // 25 MiB: more than the socket buffers of both sides hold

  for (let index = 0; index < count; index++) client.send(frame);
  await expect.poll(() => serverSocket.isPaused).toBe(true);
  expect(client.bufferedBytes).toBeGreaterThan(LOW_WATER_BYTES);

  const received = await take(server.frames[Symbol.asyncIterator](), count);
  expect(received).toHaveLength(count);
  await client.drained();
  expect(client.bufferedBytes).toBeLessThan(LOW_WATER_BYTES);
});

test("pauses a peer that sends frames of nothing: each takes memory", async () => {
  const { client, server, serverSocket } = await connectionPair(256 * 1024);
  const count = 1_024; // at 256 bytes each

  for (let index = 0; index < count; index++) client.send(new Uint8Array(0));
  await expect.poll(() => serverSocket.isPaused).toBe(true);

  expect(await take(server.frames[Symbol.asyncIterator](), count)).toHaveLength(count);
  expect(serverSocket.isPaused).toBe(false);
});

test("drained resolves when the connection ends before the buffer empties", async () => {
  const { client, serverSocket } = await connectionPair(1024);
  for (let index = 0; index < 400; index++) client.send(new Uint8Array(64 * 1024));

  const drained = client.drained();
  serverSocket.terminate();

  await drained;
  expect(client.bufferedBytes).toBe(0);
});

test("tells close code and reason to the other side", async () => {
  const { client, server } = await connectionPair();

  client.close(4024, "server stops");

  expect(await server.ended).toEqual({ closeCode: 4024, reason: "server stops" });
  expect((await client.ended).closeCode).toBe(4024);
  expect(await take(server.frames[Symbol.asyncIterator](), 1)).toEqual([]);
});

test("delivers what arrived before the close", async () => {
  const { client, server } = await connectionPair();

  client.send(Uint8Array.of(1));
  client.send(Uint8Array.of(2));
  client.close(1000, "");
  await server.ended;

  expect(await take(server.frames[Symbol.asyncIterator](), 9)).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
});

test("closes although the peer is paused", async () => {
  const { client, server, serverSocket } = await connectionPair(1024);
  for (let index = 0; index < 50; index++) client.send(new Uint8Array(64 * 1024));
  await expect.poll(() => serverSocket.isPaused).toBe(true);

  server.close(4005, "too much");

  expect((await client.ended).closeCode).toBe(4005);
});

test("cuts a reason to the 123 bytes of a close frame without breaking a character", async () => {
  const { client, server } = await connectionPair();

  client.close(4000, "é".repeat(100));

  expect((await server.ended).reason).toBe("é".repeat(61));
});

test("ends with 1006 when the peer vanishes", async () => {
  const { client, serverSocket } = await connectionPair();

  serverSocket.terminate();

  expect((await client.ended).closeCode).toBe(1006);
});

test("closes with 4000 on a text message", async () => {
  const { client, serverSocket } = await connectionPair();

  serverSocket.send("hello");

  expect((await client.ended).closeCode).toBe(4000);
});

test("send and close are no-ops on a connection that has ended", async () => {
  const { client, serverSocket } = await connectionPair();
  serverSocket.terminate();
  await client.ended;

  client.send(Uint8Array.of(1));
  client.close(1000, "");
  await client.drained();

  expect(client.bufferedBytes).toBe(0);
});

test("refuses a second reader of the frames", async () => {
  const { client } = await connectionPair();
  client.frames[Symbol.asyncIterator]();

  expect(() => client.frames[Symbol.asyncIterator]()).toThrow(TypeError);
});
