import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { webSocketConnector } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { listen, portOf, socketServer } from "./loopback.ts";

const never = new AbortController().signal;

async function refusal(url: string): Promise<{ code: string; message: string; retryAfterMs?: number }> {
  try {
    await webSocketConnector({ url, timeoutMs: 2_000 }).connect(never);
  } catch (error) {
    return error as { code: string; message: string; retryAfterMs?: number };
  }
  throw new Error("the connection came about");
}

test("opens connections again and again", async () => {
  const { url } = await socketServer();
  const connector = webSocketConnector({ url });

  const first = await connector.connect(never);
  const second = await connector.connect(never);

  expect(first.remoteAddress).toBe(new URL(url).host);
  first.close(1000, "");
  second.close(1000, "");
});

test("explains an HTTP 200 instead of an upgrade by the proxy's headers", async () => {
  const server = await listen(createServer((_request, response) => response.end("a page")));

  expect(await refusal(`ws://127.0.0.1:${portOf(server)}/ws`)).toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringContaining("HTTP 200: reached an HTTP server, but no WebSocket upgrade"),
  });
});

test.each([
  [404, {}, "no Photinus server at that path"],
  [301, { location: "https://elsewhere.example" }, "redirects are not followed"],
  [503, { "retry-after": "7" }, "retry after 7 s"],
  [429, {}, "the server is busy"],
  [401, {}, "instead of a WebSocket upgrade"],
])("explains an HTTP %i", async (status, headers, text) => {
  const server = await listen(
    createServer((_request, response) => response.writeHead(status, headers).end()),
  );

  expect((await refusal(`ws://127.0.0.1:${portOf(server)}/ws`)).message).toContain(text);
});

test.each([
  [503, "7", 7000],
  [429, "30", 30_000],
  [503, "86400", 60_000],
  [503, "Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  [503, "-1", undefined],
  [404, "7", undefined],
])("takes from an HTTP %i with Retry-After %s when to come back", async (status, value, retryAfterMs) => {
  const server = await listen(
    createServer((_request, response) => response.writeHead(status, { "retry-after": value }).end()),
  );

  expect((await refusal(`ws://127.0.0.1:${portOf(server)}/ws`)).retryAfterMs).toBe(retryAfterMs);
});

test("says that nothing listens when the port is closed", async () => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");

  expect(await refusal(`ws://127.0.0.1:${port}/`)).toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringContaining("nothing listens at that address and port (ECONNREFUSED)"),
  });
});

test("says that TLS is not spoken at a clear port", async () => {
  const { url } = await socketServer();

  expect((await refusal(url.replace("ws:", "wss:"))).message).toContain("does not speak TLS");
});

test("refuses a server that does not take the subprotocol", async () => {
  const server = await listen();
  new WebSocketServer({ server, handleProtocols: () => false });

  expect((await refusal(`ws://127.0.0.1:${portOf(server)}/`)).code).toBe("ERR_CONNECTION_REFUSED");
});

test("gives up on a server that never answers", async () => {
  const server = createTcpServer(() => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;

  await expect(
    webSocketConnector({ url: `ws://127.0.0.1:${port}/`, timeoutMs: 50 }).connect(never),
  ).rejects.toMatchObject({ code: "ERR_CONNECTION_REFUSED" });
});

test("stops with the reason of its signal", async () => {
  const server = createTcpServer(() => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const stop = new AbortController();

  const connecting = webSocketConnector({ url: `ws://127.0.0.1:${port}/` }).connect(stop.signal);
  stop.abort(new Error("no more"));

  await expect(connecting).rejects.toThrow("no more");
});

test("refuses an address that is no WebSocket's", () => {
  expect(() => webSocketConnector({ url: "http://127.0.0.1/" })).toThrow(TypeError);
});
