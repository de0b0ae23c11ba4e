import { utf8 } from "@photinus/core/bytes";
import { type Connection, messagePortConnection } from "@photinus/core/platform";
import { expect, test } from "vitest";

/** A connection and the bare port at its other end, with what arrives there. */
function withBarePort(options: Parameters<typeof messagePortConnection>[1] = {}): {
  readonly connection: Connection;
  readonly port: MessagePort;
  readonly next: () => Promise<unknown>;
} {
  const { port1, port2 } = new MessageChannel();
  const arrived: unknown[] = [];
  const waiting: ((value: unknown) => void)[] = [];
  port2.addEventListener("message", ({ data }) => {
    const resolve = waiting.shift();
    if (resolve === undefined) arrived.push(data);
    else resolve(data);
  });
  port2.start();
  const next = async (): Promise<unknown> =>
    arrived.length > 0 ? arrived.shift() : await new Promise((resolve) => waiting.push(resolve));
  return { connection: messagePortConnection(port1, options), port: port2, next };
}

test("moves its own copy of a frame: the sender's memory stays, and no other part of it travels", async () => {
  const { connection, port, next } = withBarePort();
  const memory = new Uint8Array(1000).fill(9);

  connection.send(memory.subarray(10, 13));

  const [kind, buffer] = (await next()) as [string, ArrayBuffer];
  expect([kind, buffer.byteLength]).toEqual(["frame", 3]);
  expect(memory).toHaveLength(1000);
  port.close();
});

test.for([
  ["text", "hello"],
  ["an unknown kind", ["eval", "1"]],
  ["a frame that is no buffer", ["frame", "bytes"]],
  ["a negative count", ["read", -1]],
  ["a close without its reason", ["close", 4000]],
  ["a close with a long reason", ["close", 4000, "x".repeat(124)]],
  ["more than belongs there", ["read", 1, 2, 3]],
] as const)("ends with 4000 on %s", async ([, message]) => {
  const { connection, port } = withBarePort();

  port.postMessage(message);

  expect((await connection.ended).closeCode).toBe(4000);
});

test("ends with 4004 on a frame that is too large, and with 4005 when more comes than is read", async () => {
  const large = withBarePort({ maximumFrameBytes: 10 });
  const many = withBarePort({ receiveLimitBytes: 25 + 2 * 256 });

  large.port.postMessage(["frame", new ArrayBuffer(11)]);
  for (let index = 0; index < 3; index++) many.port.postMessage(["frame", new ArrayBuffer(10)]);

  expect((await large.connection.ended).closeCode).toBe(4004);
  expect((await many.connection.ended).closeCode).toBe(4005);
});

test("ends with 4005 on empty frames without end", async () => {
  const { connection, port } = withBarePort({ receiveLimitBytes: 1024 });

  for (let index = 0; index < 6; index++) port.postMessage(["frame", new ArrayBuffer(0)]);

  expect((await connection.ended).closeCode).toBe(4005);
});

test("takes small frames up to the limit when they are read", async () => {
  const { connection, port } = withBarePort({ receiveLimitBytes: 1024 });
  let taken = 0;

  for (let index = 0; index < 3; index++) port.postMessage(["frame", new ArrayBuffer(10)]);
  for await (const frame of connection.frames) {
    taken += frame.byteLength;
    if (taken === 30) break;
  }

  expect(taken).toBe(30);
  port.close();
});

test("counts what the peer has not read, and drained waits for it", async () => {
  const { connection, port, next } = withBarePort();
  connection.send(new Uint8Array(1_048_576));
  let isDrained = false;
  const draining = connection.drained().then(() => {
    isDrained = true;
  });
  await next();
  expect([connection.bufferedBytes, isDrained]).toEqual([1_048_576, false]);

  port.postMessage(["read", 1_048_576]);

  await draining;
  expect(connection.bufferedBytes).toBe(0);
  port.close();
});

test("cuts a reason to 123 bytes without breaking a character, and takes only close codes of the protocol", async () => {
  const { connection, next } = withBarePort();

  expect(() => connection.close(1006, "")).toThrow(RangeError);
  connection.close(4000, "é".repeat(100));

  expect(await next()).toEqual(["close", 4000, "é".repeat(61)]);
});

test("sends nothing after the end, and does not wait", async () => {
  const { connection, port } = withBarePort();
  port.postMessage(["close", 4024, "server stops"]);
  expect(await connection.ended).toEqual({ closeCode: 4024, reason: "server stops" });

  connection.send(utf8("too late"));
  connection.close(1000, "");
  await connection.drained();

  expect(connection.bufferedBytes).toBe(0);
});
