// In the browser only: its own WebSocket, against a real server on loopback.
import { transportContract } from "@photinus/core/testing/contracts";
import { expect, inject, test } from "vitest";
import { systemClock } from "../src/system-clock.ts";
import { webSocketConnector } from "../src/web-socket-connector.ts";

const never = new AbortController().signal;

async function aPair() {
  const url = `${inject("socketRelay")}/${globalThis.crypto.randomUUID()}`;
  const connector = webSocketConnector({ url }, { clock: systemClock() });
  const client = await connector.connect(never);
  return { client, server: await connector.connect(never) };
}

transportContract("WebSocket in Chromium", aPair);

test("a port at which nothing listens is refused, with what to check", async () => {
  const connector = webSocketConnector({ url: "ws://127.0.0.1:9/ws" }, { clock: systemClock() });

  await expect(connector.connect(never)).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringContaining("is the server running?"),
  });
});

test("a frame beyond the limit of the server ends the connection", async () => {
  const { client, server } = await aPair();

  client.send(new Uint8Array(2 ** 20 + 1025));

  expect((await client.ended).closeCode).toBe(1009);
  expect((await server.ended).closeCode).toBe(1000);
});
