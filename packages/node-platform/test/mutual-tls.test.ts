import { createServer } from "node:https";
import { type TlsIdentity, webSocketConnector } from "@photinus/node-platform";
import { describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { listen, portOf } from "./loopback.ts";
import { tlsMaterial } from "./tls-material.ts";

const never = new AbortController().signal;
const project = await tlsMaterial();
const stranger = await tlsMaterial();

/** A server, or a proxy before one, whose TLS admits nobody without a certificate of the project. */
async function strictServer(hosts: readonly string[] = ["127.0.0.1"]): Promise<string> {
  const { certificate, privateKey } = await project.issue("server", "hub", hosts);
  const tls = {
    cert: certificate,
    key: privateKey,
    ca: project.root,
    requestCert: true,
    rejectUnauthorized: true,
  };
  const server = await listen(createServer(tls));
  new WebSocketServer({ server });
  return `wss://127.0.0.1:${portOf(server)}/ws`;
}

const connect = async (
  url: string,
  clientCertificate?: TlsIdentity,
  ca: string = project.root,
): Promise<void> => {
  const certificate = clientCertificate === undefined ? {} : { clientCertificate };
  const connection = await webSocketConnector({ url, ca: [ca], ...certificate }).connect(never);
  connection.close(1000, "");
};

const refused = (text: string) => ({
  code: "ERR_CONNECTION_REFUSED",
  message: expect.stringContaining(text) as string,
});

describe("mutual TLS", () => {
  test("connects with a certificate of the project", async () => {
    await connect(await strictServer(), await project.issue("site", "site-1"));
  });

  test("says that a certificate is wanted", async () => {
    await expect(connect(await strictServer())).rejects.toMatchObject(refused("wants a TLS certificate"));
  });

  test("says that the certificate is another project's", async () => {
    const foreign = await stranger.issue("site", "site-1");

    await expect(connect(await strictServer(), foreign)).rejects.toMatchObject(refused("TLS certificate"));
  });

  test("trusts the pinned root and no other", async () => {
    const own = await project.issue("site", "site-1");

    await expect(connect(await strictServer(), own, stranger.root)).rejects.toMatchObject(
      refused("trusted root"),
    );
  });

  test("says that certificate and key do not belong together", async () => {
    const [one, other] = [await project.issue("site", "site-1"), await project.issue("site", "site-2")];
    const mixed = { certificate: one.certificate, privateKey: other.privateKey };

    await expect(connect(await strictServer(), mixed)).rejects.toMatchObject(
      refused("certificate and private key for TLS do not belong together"),
    );
  });
});

describe("the name of a server", () => {
  test("is that of the address, or the one that is told", async () => {
    const url = await strictServer(["hub.example"]);
    const own = await project.issue("site", "site-1");
    const options = { url, ca: [project.root], clientCertificate: own };

    const connection = await webSocketConnector({ ...options, serverName: "hub.example" }).connect(never);
    connection.close(1000, "");

    await expect(webSocketConnector(options).connect(never)).rejects.toMatchObject(
      refused("for another name"),
    );
    await expect(
      webSocketConnector({ ...options, serverName: "other.example" }).connect(never),
    ).rejects.toMatchObject(refused("for another name"));
  });
});
