import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Bytes, utf8 } from "@photinus/core/bytes";
import { certificatesFromPem } from "@photinus/core/pki";
import type { OpenedKit } from "@photinus/core/provision";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { connectProxy } from "../../../node-platform/test/connect-proxy.ts";
import { listen, portOf, socketServer } from "../../../node-platform/test/loopback.ts";
import { tlsMaterial } from "../../../node-platform/test/tls-material.ts";
import { serverConnector } from "../../src/host/server-connector.ts";

const never = new AbortController().signal;
const tls = { certificate: "", privateKey: "" };

function aKit(addresses: readonly string[]): Pick<OpenedKit, "configuration" | "root" | "tlsAuthorities"> {
  const root = { der: new Uint8Array(0) } as OpenedKit["root"]; // clear connections look at no root
  return {
    root,
    tlsAuthorities: [],
    configuration: {
      ...{ version: 1, project: "p", name: "site-1", role: "site", org: "o", security: "clear" },
      server: { name: "hub", addresses },
    },
  };
}

/** An address of this machine at which nothing listens. */
async function nowhere(): Promise<string> {
  const server = await listen();
  const port = portOf(server);
  server.close();
  return `ws://127.0.0.1:${port}/ws`;
}

test("reaches each address through the proxy that is named for it", async () => {
  const { url, accept } = await socketServer();
  const proxy = await connectProxy({ credentials: "anna:secret" });
  const asked: string[] = [];
  const proxyOf = (address: string): string => {
    asked.push(address);
    return `http://anna:secret@127.0.0.1:${proxy.port}`;
  };

  const connecting = serverConnector({ kit: aKit([url]), tls, proxyOf }).connect(never);
  const [connection] = await Promise.all([connecting, accept()]);

  expect(asked).toEqual([url]);
  expect(proxy.asked).toEqual([new URL(url).host]);
  connection.close(1000, "");
});

test("takes the next address when one is not reached, and says of all what is wrong", async () => {
  const { url } = await socketServer();
  const [one, other] = [await nowhere(), await nowhere()];

  const connection = await serverConnector({ kit: aKit([one, url]), tls }).connect(never);
  connection.close(1000, "");
  const refused = serverConnector({ kit: aKit([one, other]), tls }).connect(never);

  await expect(refused).rejects.toMatchObject({
    code: "ERR_CONNECTION_REFUSED",
    message: expect.stringMatching(new RegExp(`^${one}: nothing listens.*; ${other}: nothing listens`)),
  });
});

test("keeps to when a server that is busy wants to be asked again", async () => {
  const busyFor = async (seconds: number): Promise<string> => {
    const server = await listen();
    server.on("upgrade", (_request, socket) => {
      socket.end(`HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${seconds}\r\nConnection: close\r\n\r\n`);
    });
    return `ws://127.0.0.1:${portOf(server)}/ws`;
  };
  const addresses = [await nowhere(), await busyFor(20), await busyFor(7)];

  const refused = serverConnector({ kit: aKit(addresses), tls }).connect(never);

  await expect(refused).rejects.toMatchObject({ code: "ERR_CONNECTION_REFUSED", retryAfterMs: 7_000 });
});

test("takes the address that it is told in place of those in the kit", async () => {
  const { url } = await socketServer();

  const connection = await serverConnector({ kit: aKit([await nowhere()]), tls, server: url }).connect(never);

  expect(connection.remoteAddress).toBe(new URL(url).host);
  connection.close(1000, "");
});

test("refuses a proxy that is none at once", () => {
  const kit = aKit(["ws://127.0.0.1:9/ws"]);

  expect(() => serverConnector({ kit, tls, proxyOf: () => "socks5://127.0.0.1:1" })).toThrow(
    expect.objectContaining({ code: "ERR_CONFIG_INVALID" }) as Error,
  );
});

test.each([
  ["clear", "wss://fl.example.org/ws"],
  ["tls", "ws://fl.example.org/ws"],
  ["mtls", "ws://127.0.0.1:8080/ws"],
] as const)("a kit for %s is not taken to %s", (security, server) => {
  const { configuration, root } = aKit([]);
  const kit = { root, tlsAuthorities: [], configuration: { ...configuration, security } };

  expect(() => serverConnector({ kit, tls, server })).toThrowError(
    expect.objectContaining({ code: "ERR_TLS_MODE" }),
  );
});

test.each(["fl.example.org", "https://fl.example.org/ws", "wss://"])(
  "%s is no address of a server",
  (server) => {
    expect(() => serverConnector({ kit: aKit([]), tls, server })).toThrowError(
      expect.objectContaining({ code: "ERR_CONFIG_INVALID" }),
    );
  },
);

describe("the CA of a proxy that ends TLS", () => {
  /** A server whose certificate another CA issued than the project's root, and a kit that names these. */
  async function aProxy() {
    const [project, proxy] = [await tlsMaterial(), await tlsMaterial()];
    const { certificate, privateKey } = await proxy.issue("server", "gate", ["127.0.0.1"]);
    const server = createServer({ cert: certificate, key: privateKey });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    new WebSocketServer({ server });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo; // listening at a port
    const { configuration } = aKit([`wss://127.0.0.1:${port}/ws`]);
    const kit = (...authorities: readonly string[]) => ({
      configuration: { ...configuration, security: "tls" as const },
      root: { der: derOf(project.root) } as OpenedKit["root"], // TLS looks at the bytes only
      tlsAuthorities: authorities.map(derOf),
    });
    return { kit, own: proxy.root, other: (await tlsMaterial()).root };
  }

  function derOf(pem: string): Bytes {
    const [der] = certificatesFromPem(utf8(pem));
    if (der === undefined) throw new Error("one certificate");
    return der;
  }

  test("is trusted for TLS where the kit names it, and no other is", async () => {
    const { kit, own, other } = await aProxy();

    const connection = await serverConnector({ kit: kit(own), tls }).connect(never);
    connection.close(1000, "");

    for (const untrusting of [kit(), kit(other)]) {
      await expect(serverConnector({ kit: untrusting, tls }).connect(never)).rejects.toMatchObject({
        code: "ERR_CONNECTION_REFUSED",
      });
    }
  });
});
