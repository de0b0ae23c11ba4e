import type { Bytes } from "@photinus/core/bytes";
import {
  afterMicrotasks,
  LOW_WATER_MARK_BYTES,
  memoryConnectionPair,
  virtualClock,
} from "@photinus/core/testing";
import { expect, test } from "vitest";

const frame = (...bytes: number[]): Bytes => Uint8Array.from(bytes);

async function readAll(frames: AsyncIterable<Bytes>): Promise<number[][]> {
  const read: number[][] = [];
  for await (const each of frames) read.push([...each]);
  return read;
}

test("carries frames in order, uncopied, until the close, which both ends learn", async () => {
  const { client, server } = memoryConnectionPair();
  const first = frame(1, 2);
  client.send(first);
  client.send(frame(3));
  client.close(4001, "version");
  client.send(frame(4));

  await expect(readAll(server.frames)).resolves.toEqual([[1, 2], [3]]);
  await expect(server.ended).resolves.toEqual({ closeCode: 4001, reason: "version" });
  await expect(client.ended).resolves.toEqual({ closeCode: 4001, reason: "version" });
});

test("counts unread bytes as buffered and resolves drained when the peer reads", async () => {
  const { client, server } = memoryConnectionPair();
  client.send(new Uint8Array(LOW_WATER_MARK_BYTES));
  let drained = false;
  const waiting = client.drained().then(() => {
    drained = true;
  });
  await afterMicrotasks();
  expect(client.bufferedBytes).toBe(LOW_WATER_MARK_BYTES);
  expect(drained).toBe(false);

  for await (const _ of server.frames) break;
  await waiting;

  expect(client.bufferedBytes).toBe(0);
});

test("alters, drops, repeats and injects frames where a test asks for it", async () => {
  const { client, server, sentByClient, injectToServer } = memoryConnectionPair({
    record: true,
    toServer: (each, index) => {
      if (index === 0) return frame(255);
      if (index === 1) return undefined;
      return [each, each];
    },
  });
  for (const value of [1, 2, 3]) client.send(frame(value));
  await afterMicrotasks();
  injectToServer(frame(9));
  client.close(1000, "");

  await expect(readAll(server.frames)).resolves.toEqual([[255], [3], [3], [9]]);
  expect(sentByClient.map((each) => [...each])).toEqual([[1], [2], [3]]);
});

test("a cut ends both sides with 1006 and releases who waits", async () => {
  const { client, server, cut } = memoryConnectionPair();
  client.send(new Uint8Array(2 * LOW_WATER_MARK_BYTES));
  const drained = client.drained();

  cut();

  await drained;
  await expect(client.ended).resolves.toMatchObject({ closeCode: 1006 });
  await expect(server.ended).resolves.toMatchObject({ closeCode: 1006 });
});

test("frames take as long as the latency on the clock says", async () => {
  const clock = virtualClock({ startMs: 0 });
  const { client, server } = memoryConnectionPair({ clock, latencyMs: 25 });
  const arrivals: number[] = [];
  const reading = (async (): Promise<void> => {
    for await (const _ of server.frames) arrivals.push(clock.now());
  })();

  client.send(frame(1));
  await clock.advance(10);
  client.send(frame(2));
  client.close(1000, "");
  await clock.runUntil(reading);

  expect(arrivals).toEqual([25, 35]);
});

test("refuses to be read twice and to close with a code that is not ours", async () => {
  const { client } = memoryConnectionPair();
  client.close(1000, "");
  await readAll(client.frames);

  await expect(readAll(client.frames)).rejects.toThrow(TypeError);
  expect(() => client.close(1001, "")).toThrow(RangeError);
  expect(() => client.close(4000, "é".repeat(62))).toThrow(RangeError);
});

test("a line carries so many bytes a second, one frame after another, each for its latency", async () => {
  const clock = virtualClock({ startMs: 0 });
  const { client, server } = memoryConnectionPair({ clock, latencyMs: 50, bytesPerSecond: 1_000_000 });
  const arrivals: number[] = [];
  const reading = (async (): Promise<void> => {
    for await (const _ of server.frames) arrivals.push(clock.now());
  })();
  for (let index = 0; index < 3; index++) client.send(new Uint8Array(10_000));
  client.close(1000, "");

  await clock.advance(15);
  expect(client.bufferedBytes).toBe(20_000);
  await clock.advance(100);
  await reading;

  expect(arrivals).toEqual([60, 70, 80]);
});

test("a line without a clock is a mistake of the test", () => {
  expect(() => memoryConnectionPair({ bytesPerSecond: 1 })).toThrow(TypeError);
});
