import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { TlsIdentity } from "@photinus/node-platform";
import { onTestFinished } from "vitest";
import { portOf } from "./loopback.ts";

/** How a proxy of the tests behaves. */
export interface ConnectProxyOptions {
  /** `name:password` that it wants. */
  readonly credentials?: string;
  /** Hosts that it lets through; default all. */
  readonly allowed?: readonly string[];
  /** Certificate where it is spoken to by TLS. */
  readonly tls?: TlsIdentity;
}

/** A proxy on loopback, and what it was asked for. */
export interface ConnectProxy {
  readonly port: number;
  /** `host:port` of each tunnel. */
  readonly asked: string[];
  /** Bytes that went through tunnels to the server. */
  readonly carried: Buffer[];
}

const expected = (credentials: string): string => `Basic ${Buffer.from(credentials).toString("base64")}`;

function answerTo(request: IncomingMessage, options: ConnectProxyOptions): string | undefined {
  const { credentials, allowed } = options;
  const given = request.headers["proxy-authorization"];
  if (credentials !== undefined && given !== expected(credentials))
    return "407 Proxy Authentication Required";
  const host = (request.url ?? "").replace(/:\d+$/, "");
  return allowed !== undefined && !allowed.includes(host) ? "403 Forbidden" : undefined;
}

/** A real proxy: it opens a TCP connection for each CONNECT and copies bytes both ways. */
export async function connectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const { tls } = options;
  const server: Server =
    tls === undefined ? createServer() : createSecureServer({ cert: tls.certificate, key: tls.privateKey });
  const asked: string[] = [];
  const carried: Buffer[] = [];
  const open = new Set<Socket>();
  server.on("connect", (request: IncomingMessage, client: Socket) => {
    asked.push(request.url ?? "");
    open.add(client);
    client.on("error", () => undefined);
    const refusal = answerTo(request, options);
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const [, host = "", port = ""] = /^\[?(.*?)\]?:(\d+)$/.exec(request.url ?? "") ?? [];
    const upstream = connect(Number(port), host);
    open.add(upstream);
    upstream.on("error", () => client.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
    upstream.on("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.on("data", (bytes: Buffer) => carried.push(bytes));
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  return { port: portOf(server), asked, carried };
}
