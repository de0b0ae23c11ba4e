import { once } from "node:events";
import { get } from "node:http";
import { SUBPROTOCOL } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { tlsMaterial } from "../../../node-platform/test/tls-material.ts";
import { aHost, type Running } from "./host.ts";

async function aForwardedCertificate(): Promise<{ readonly header: string; readonly der: Uint8Array }> {
  const { certificate } = await (await tlsMaterial()).issue("site", "site-1");
  const der = Buffer.from(certificate.replace(/-----[^-]+-----|\s/g, ""), "base64");
  return { header: encodeURIComponent(certificate), der: new Uint8Array(der) };
}

async function comeWith({ socketUrl }: Running, headers: Readonly<Record<string, string>>): Promise<void> {
  const socket = new WebSocket(socketUrl, [SUBPROTOCOL], { headers });
  await once(socket, "open");
  socket.terminate();
}

test("a certificate that a trusted proxy forwards is told apart from the one of TLS", async () => {
  const { header, der } = await aForwardedCertificate();
  const host = await aHost({ trustedProxies: ["127.0.0.1"] });

  await comeWith(host, { "x-ssl-client-cert": header, "x-ssl-client-verify": "SUCCESS" });

  expect(host.federation.peers).toEqual([{ tlsLeaf: undefined, forwardedLeaf: der }]);
});

test("what somebody else writes into the headers of a proxy is not read", async () => {
  const { header } = await aForwardedCertificate();
  const host = await aHost();

  await comeWith(host, { "x-ssl-client-cert": header, "x-ssl-client-verify": "SUCCESS" });
  await comeWith(host, { "x-ssl-client-cert": "no certificate" });

  const nothing = { tlsLeaf: undefined, forwardedLeaf: undefined };
  expect(host.federation.peers).toEqual([nothing, nothing]);
});

test("a trusted proxy that forwards something else is refused", async () => {
  const host = await aHost({ trustedProxies: ["127.0.0.1"] });
  for (const header of ["no certificate", "%E0%A4%A", "a".repeat(8_000)]) {
    const request = get(`${host.origin}/ws`, {
      headers: {
        ...{ connection: "upgrade", upgrade: "websocket", "x-ssl-client-cert": header },
        ...{ "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" },
        "sec-websocket-protocol": SUBPROTOCOL,
      },
    });
    const [response] = await once(request, "response");
    response.resume();
    expect(response.statusCode).toBe(426);
  }
  expect(host.federation.peers).toEqual([]);
});
