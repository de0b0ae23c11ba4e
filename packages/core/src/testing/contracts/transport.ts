import { describe, expect, test } from "vitest";
import { type Bytes, utf8 } from "../../bytes/index.ts";
import type { Connection } from "../../platform/index.ts";

/** Two ends of one connection. */
export interface ConnectedPair {
  readonly client: Connection;
  readonly server: Connection;
}

/** What every transport keeps. @param create a fresh pair, once per test; the caller closes what it opened */
export function transportContract(name: string, create: () => Promise<ConnectedPair> | ConnectedPair): void {
  describe(`transport ${name}`, () => {
    carries(create);
    ends(create);
  });
}

/** Around the lengths at which WebSocket changes its header (125, 65 535), and the largest frame of the protocol. */
const LENGTHS = [1, 125, 126, 65_535, 65_536, 1_048_576 + 1024];

function carries(create: () => Promise<ConnectedPair> | ConnectedPair): void {
  test("carries frames in order, whole, both ways", async () => {
    const { client, server } = await create();
    const frames = LENGTHS.map((length, index) => new Uint8Array(length).fill(index + 1));

    for (const frame of frames) client.send(frame);
    for (const frame of frames) server.send(frame);

    for (const reader of [server, client]) {
      const received = await take(reader, frames.length);
      expect(received.map(({ byteLength }) => byteLength)).toEqual(LENGTHS);
      expect(received.every((frame, index) => frame.every((byte) => byte === index + 1))).toBe(true);
    }
  });

  test("hands out plain Uint8Arrays that the receiver may keep", async () => {
    const { client, server } = await create();
    client.send(utf8("first"));
    client.send(utf8("second"));

    const [first, second] = await take(server, 2);

    expect(first?.constructor).toBe(Uint8Array);
    expect([first, second]).toEqual([utf8("first"), utf8("second")]);
  });

  test("does not look at a frame any more once it says that it was sent", async () => {
    const { client, server } = await create();
    const frames = LENGTHS.map((length, index) => new Uint8Array(length).fill(index + 1));

    for (const frame of frames) client.send(frame, () => frame.fill(0));

    const received = await take(server, frames.length);
    expect(received.map((frame) => frame.every((byte) => byte === frame[0]) && frame[0])).toEqual(
      LENGTHS.map((_, index) => index + 1),
    );
  });

  test("frees the memory of the frame that is given back, and of no other", async () => {
    const { client, server } = await create();
    for (const length of LENGTHS) client.send(new Uint8Array(length).fill(7));

    const received = await take(server, LENGTHS.length);
    const kept = received.filter((_, index) => index % 2 === 0);
    for (const frame of received) if (!kept.includes(frame)) server.release?.(frame);

    expect(kept.map((frame) => frame.every((byte) => byte === 7) && frame.byteLength)).toEqual(
      LENGTHS.filter((_, index) => index % 2 === 0),
    );
  });

  test("drains when the peer reads", async () => {
    const { client, server } = await create();
    const frame = new Uint8Array(524_288);
    for (let index = 0; index < 8; index++) client.send(frame);

    const reading = take(server, 8);
    await client.drained();

    expect(client.bufferedBytes).toBeLessThan(1_048_576);
    expect(await reading).toHaveLength(8);
  });
}

function ends(create: () => Promise<ConnectedPair> | ConnectedPair): void {
  test("a close comes after the frames before it, with its code and reason, and ends both sides", async () => {
    const { client, server } = await create();
    client.send(utf8("last words"));
    client.close(4011, "token unknown");

    const received = await all(server);
    const ended = await Promise.all([client.ended, server.ended]);

    expect(received).toEqual([utf8("last words")]);
    expect(ended.map(({ closeCode }) => closeCode)).toEqual([4011, 4011]);
    expect((await server.ended).reason).toBe("token unknown");
    expect(await all(client)).toEqual([]);
  });

  test("nothing is sent after the end, and nobody waits for it", async () => {
    const { client, server } = await create();
    server.close(1000, "");
    const unread = all(server);
    await client.ended;

    client.send(utf8("too late"));
    await client.drained();
    client.close(1000, "");

    expect(await unread).toEqual([]);
    expect(client.bufferedBytes).toBe(0);
  });
}

async function take(connection: Connection, count: number): Promise<Bytes[]> {
  const received: Bytes[] = [];
  for await (const frame of connection.frames) {
    received.push(frame);
    if (received.length === count) break;
  }
  return received;
}

async function all(connection: Connection): Promise<Bytes[]> {
  return await take(connection, Number.POSITIVE_INFINITY);
}
