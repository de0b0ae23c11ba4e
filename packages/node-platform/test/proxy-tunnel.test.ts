import { once } from "node:events";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import { inspect } from "node:util";
import {
  parseProxy,
  type WebSocketConnectorOptions,
  webSocketConnection,
  webSocketConnector,
} from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { connectProxy } from "./connect-proxy.ts";
import { listen, portOf, socketServer, take } from "./loopback.ts";
import { tlsMaterial } from "./tls-material.ts";

const never = new AbortController().signal;
const PASSWORD = "correct horse battery staple";
const CREDENTIALS = `anna:${PASSWORD}`;
const withCredentials = (port: number, password = PASSWORD): string =>
  `http://anna:${encodeURIComponent(password)}@127.0.0.1:${port}`;

async function refusal(options: WebSocketConnectorOptions): Promise<Error> {
  try {
    await webSocketConnector(options).connect(never);
  } catch (error) {
    expect(error).toMatchObject({ code: "ERR_CONNECTION_REFUSED" });
    return error as Error;
  }
  throw new Error("the connection came about");
}

/** A TCP server that does with a connection what it is told. */
async function tcp(handle: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createTcpServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("frames go both ways through a proxy", async () => {
  const { url, accept } = await socketServer();
  const proxy = await connectProxy();

  const connector = webSocketConnector({ url, proxy: parseProxy(`http://127.0.0.1:${proxy.port}`) });
  const [client, socket] = await Promise.all([connector.connect(never), accept()]);
  const server = webSocketConnection(socket);
  client.send(new Uint8Array(100_000).fill(1));
  server.send(Uint8Array.of(2));

  expect((await take(server.frames[Symbol.asyncIterator](), 1))[0]).toHaveLength(100_000);
  expect(await take(client.frames[Symbol.asyncIterator](), 1)).toEqual([Uint8Array.of(2)]);
  expect(proxy.asked).toEqual([new URL(url).host]);
  client.close(1000, "");
});

test("TLS goes through to the server: the proxy carries ciphertext, the certificate is the server's", async () => {
  const { root, issue } = await tlsMaterial();
  const { certificate: cert, privateKey: key } = await issue("server", "hub", ["127.0.0.1"]);
  const server = await listen(createSecureServer({ cert, key }));
  const sockets = new WebSocketServer({ server });
  const proxy = await connectProxy();
  const url = `wss://127.0.0.1:${portOf(server)}/ws-of-a-telling-name`;
  const through = parseProxy(`http://127.0.0.1:${proxy.port}`);

  const client = await webSocketConnector({ url, ca: [root], proxy: through }).connect(never);
  client.close(1000, "");
  const stranger = await tlsMaterial();

  expect(Buffer.concat(proxy.carried).includes("ws-of-a-telling-name")).toBe(false);
  expect(proxy.carried.length).toBeGreaterThan(0);
  expect((await refusal({ url, ca: [stranger.root], proxy: through })).message).toContain("trusted root");
  sockets.close();
});

test("a proxy may be spoken to by TLS itself", async () => {
  const { url, accept } = await socketServer();
  const { issue } = await tlsMaterial();
  const proxy = await connectProxy({ tls: await issue("server", "proxy", ["127.0.0.1"]) });

  // Its root is not one of Node's: the certificate of the proxy is checked.
  const error = await refusal({ url, proxy: parseProxy(`https://127.0.0.1:${proxy.port}`) });

  expect(error.message).toContain("trusted root");
  expect(proxy.asked).toEqual([]);
  expect(accept).toBeDefined();
});

test("name and password go to the proxy, and into no error", async () => {
  const { url } = await socketServer();
  const proxy = await connectProxy({ credentials: CREDENTIALS });
  const secrets = [PASSWORD, encodeURIComponent(PASSWORD), Buffer.from(CREDENTIALS).toString("base64")];

  const client = await webSocketConnector({ url, proxy: parseProxy(withCredentials(proxy.port)) }).connect(
    never,
  );
  client.close(1000, "");
  const wrong = await refusal({ url, proxy: parseProxy(withCredentials(proxy.port, "wrong one")) });
  const missing = await refusal({ url, proxy: parseProxy(`http://127.0.0.1:${proxy.port}`) });
  const closed = await tcp((socket) => socket.destroy());
  const reset = await refusal({ url, proxy: parseProxy(withCredentials(closed)) });

  expect(wrong.message).toContain("does not accept this name and password (HTTP 407)");
  expect(missing.message).toContain("wants a name and a password");
  expect(reset.message).toContain(`the proxy 127.0.0.1:${closed}`);
  for (const error of [wrong, missing, reset]) {
    const everything = inspect(error, { depth: 12, showHidden: true });
    for (const secret of [...secrets, "wrong one"]) expect(everything).not.toContain(secret);
  }
});

test("says that the proxy does not allow the server, or does not reach it", async () => {
  const { url } = await socketServer();
  const strict = await connectProxy({ allowed: ["elsewhere.example"] });
  const open = await connectProxy();
  const nobody = await listen();
  const port = portOf(nobody);
  nobody.close();

  const forbidden = await refusal({ url, proxy: parseProxy(`http://127.0.0.1:${strict.port}`) });
  const unreached = await refusal({
    url: `ws://127.0.0.1:${port}/`,
    proxy: parseProxy(`http://127.0.0.1:${open.port}`),
  });

  expect(forbidden.message).toContain(`does not allow connections to ${new URL(url).host} (HTTP 403)`);
  expect(unreached.message).toContain(`does not reach 127.0.0.1:${port} (HTTP 502)`);
});

test("says that nothing listens where the proxy should be", async () => {
  const { url } = await socketServer();
  const nobody = await listen();
  const port = portOf(nobody);
  nobody.close();

  const error = await refusal({ url, proxy: parseProxy(`http://127.0.0.1:${port}`) });

  expect(error.message).toBe(
    `the proxy 127.0.0.1:${port}: nothing listens at that address and port (ECONNREFUSED)`,
  );
});

test("says that a proxy answers something else than a tunnel, or puts bytes of its own into it", async () => {
  const { url } = await socketServer();
  const teapot = await tcp((socket) => socket.end("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n"));
  const early = await tcp((socket) =>
    socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\nhello")),
  );

  const other = await refusal({ url, proxy: parseProxy(`http://127.0.0.1:${teapot}`) });
  const injected = await refusal({ url, proxy: parseProxy(`http://127.0.0.1:${early}`) });

  expect(other.message).toContain("answered HTTP 418 instead of a tunnel");
  expect(injected.message).toContain("sent something of its own into the tunnel");
});

test("gives up on a proxy that never answers, and on a server behind one, after the same time", async () => {
  const { url } = await socketServer();
  const silent = await tcp(() => undefined);
  const proxy = await connectProxy();

  const mute = await refusal({ url, proxy: parseProxy(`http://127.0.0.1:${silent}`), timeoutMs: 50 });
  const behind = await refusal({
    url: `ws://127.0.0.1:${silent}/`,
    proxy: parseProxy(`http://127.0.0.1:${proxy.port}`),
    timeoutMs: 50,
  });

  expect(mute.message).toContain(`nothing answered within 50 ms through the proxy 127.0.0.1:${silent}`);
  expect(behind.message).toContain("nothing answered within 50 ms through the proxy");
});

test("a signal that is aborted later leaves the open connection alone", async () => {
  const { url, accept } = await socketServer();
  const proxy = await connectProxy();
  const stop = new AbortController();
  const connector = webSocketConnector({ url, proxy: parseProxy(`http://127.0.0.1:${proxy.port}`) });
  const [client, socket] = await Promise.all([connector.connect(stop.signal), accept()]);

  stop.abort(new Error("connected long ago"));
  client.send(Uint8Array.of(5));

  const server = webSocketConnection(socket);
  expect(await take(server.frames[Symbol.asyncIterator](), 1)).toEqual([Uint8Array.of(5)]);
  client.close(1000, "");
});

test("stops with the reason of its signal while the proxy is silent", async () => {
  const { url } = await socketServer();
  const silent = await tcp(() => undefined);
  const stop = new AbortController();

  const connecting = webSocketConnector({ url, proxy: parseProxy(`http://127.0.0.1:${silent}`) }).connect(
    stop.signal,
  );
  stop.abort(new Error("no more"));

  await expect(connecting).rejects.toThrow("no more");
});
