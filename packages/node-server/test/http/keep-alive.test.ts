import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { virtualClock } from "@photinus/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { KeepAlive } from "../../src/http/keep-alive.ts";

const INTERVAL_MS = 25_000;

/** The server's end of a real socket whose client answers pings, or does not. */
async function aSocket(autoPong: boolean): Promise<{ server: WebSocket; client: WebSocket }> {
  const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  await once(sockets, "listening");
  const { port } = sockets.address() as AddressInfo;
  const options: ClientOptions = { autoPong };
  const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
  const [[server]] = await Promise.all([once(sockets, "connection"), once(client, "open")]);
  return { server, client };
}

test("pings once in an interval, and lets a socket live that answers", async () => {
  const clock = virtualClock();
  const { server, client } = await aSocket(true);
  const keepAlive = new KeepAlive(clock, INTERVAL_MS);
  keepAlive.add(server);
  let pings = 0;
  client.on("ping", () => {
    pings += 1;
  });

  for (let interval = 1; interval <= 3; interval++) {
    const pong = once(server, "pong");
    await clock.advance(INTERVAL_MS);
    await pong;

    expect(pings).toBe(interval);
  }
  expect(server.readyState).toBe(WebSocket.OPEN);
});

test("cuts a socket that lets a whole interval pass without a pong", async () => {
  const clock = virtualClock();
  const { server, client } = await aSocket(false);
  const keepAlive = new KeepAlive(clock, INTERVAL_MS);
  keepAlive.add(server);
  const closed = once(client, "close");

  await clock.advance(2 * INTERVAL_MS - 1);
  expect(server.readyState).toBe(WebSocket.OPEN);
  await clock.advance(1);

  expect((await closed)[0]).toBe(1006);
});

test("does not take a socket for dead that is paused", async () => {
  const clock = virtualClock();
  const { server } = await aSocket(false);
  const keepAlive = new KeepAlive(clock, INTERVAL_MS);
  keepAlive.add(server);
  server.pause();

  await clock.advance(4 * INTERVAL_MS);

  expect(server.readyState).toBe(WebSocket.OPEN);
});

test("pings sockets that came at different times at different times, and none that was removed", async () => {
  const clock = virtualClock();
  const keepAlive = new KeepAlive(clock, INTERVAL_MS);
  const first = await aSocket(true);
  const second = await aSocket(true);
  const removed = await aSocket(false);
  const pinged: string[] = [];
  first.client.on("ping", () => pinged.push("first"));
  second.client.on("ping", () => pinged.push("second"));
  removed.client.on("ping", () => pinged.push("removed"));
  keepAlive.add(first.server);
  keepAlive.add(removed.server);
  keepAlive.remove(removed.server);
  await clock.advance(INTERVAL_MS / 2);
  keepAlive.add(second.server);

  const pong = once(first.server, "pong");
  await clock.advance(INTERVAL_MS / 2);
  await pong;
  expect(pinged).toEqual(["first"]);
  const later = once(second.server, "pong");
  await clock.advance(INTERVAL_MS / 2);
  await later;

  expect(pinged).toEqual(["first", "second"]);
});

test("holds no timer while there is no socket", async () => {
  const clock = virtualClock();
  const { server } = await aSocket(true);
  const keepAlive = new KeepAlive(clock, INTERVAL_MS);
  expect(clock.pendingTimers).toBe(0);

  keepAlive.add(server);
  expect(clock.pendingTimers).toBe(1);
  keepAlive.remove(server);
  keepAlive.remove(server);

  expect(clock.pendingTimers).toBe(0);
});
