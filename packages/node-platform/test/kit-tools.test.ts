import { spawnSync } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { fromUtf8 } from "@photinus/core/bytes";
import { createProject, KIT_FILE, type ProvisionedProject, type StartupKit } from "@photinus/core/provision";
import { nodeCrypto, systemClock, writeKitFolder } from "@photinus/node-platform";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenSsl, openSsl } from "../../core/test/pki/openssl.ts";

// What the tools of an administrator and Node's TLS make of a startup kit.

let openssl: OpenSsl;
let project: ProvisionedProject;

beforeAll(async () => {
  openssl = openSsl();
  const definition = {
    name: "mnist",
    server: { name: "hub", org: "example", hosts: ["localhost", "127.0.0.1"], port: 8443 },
    sites: [{ name: "clinic-a", org: "north" }],
    users: [],
  };
  project = await createProject(definition, { crypto: nodeCrypto(), clock: systemClock() });
});
afterAll(() => openssl.remove());

function kitOf(name: string): StartupKit {
  const kit = project.kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return kit;
}

function text(kit: StartupKit, path: string): string {
  return fromUtf8(kit.files.get(path) ?? new Uint8Array());
}

describe("openssl", () => {
  test("verifies the signature of the manifest, the chain, and opens the key by the kit's secret", async () => {
    const kit = kitOf("clinic-a");
    const folder = openssl.path("clinic-a");
    await writeKitFolder(folder, kit.files);
    const at = (path: string) => join(folder, path);

    expect(
      openssl.run(
        ...["cms", "-verify", "-inform", "PEM", "-in", at(KIT_FILE.signature), "-binary"],
        ...["-content", at(KIT_FILE.manifest), "-CAfile", at(KIT_FILE.root), "-out", openssl.path("out")],
      ),
    ).toContain("successful");
    expect(
      openssl.run("verify", "-x509_strict", "-CAfile", at(KIT_FILE.root), at(KIT_FILE.certificate)),
    ).toContain("OK");
    expect(
      openssl.run("pkey", "-in", at(KIT_FILE.key), "-passin", `pass:${kit.secret}`, "-noout", "-text"),
    ).toContain("prime256v1");
  });
});

describe("systemd", () => {
  test.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0)(
    "takes the unit of a server and of a site without a word",
    async () => {
      for (const name of ["hub", "clinic-a"]) {
        const folder = openssl.path(`unit-${name}`);
        await writeKitFolder(folder, kitOf(name).files);

        const { status, stderr } = spawnSync("systemd-analyze", ["verify", join(folder, KIT_FILE.unit)], {
          encoding: "utf8",
        });

        expect([status, stderr]).toEqual([0, ""]);
      }
    },
  );

  test("gives the secret to the process as a credential, never as an argument", () => {
    const unit = text(kitOf("clinic-a"), KIT_FILE.unit);

    expect(unit).toContain("LoadCredential=kit-secret:/etc/photinus/clinic-a.secret");
    expect(unit).toMatch(/--passphrase-file \$\{CREDENTIALS_DIRECTORY\}\/kit-secret$/m);
    expect(unit).not.toContain(kitOf("clinic-a").secret);
  });
});

describe("TLS of Node", () => {
  function identity(kit: StartupKit): SecureContextOptions {
    return {
      ca: text(kit, KIT_FILE.root),
      cert: text(kit, KIT_FILE.certificate),
      key: text(kit, KIT_FILE.key),
      passphrase: kit.secret,
      minVersion: "TLSv1.3",
    };
  }

  test("accepts the certificates of kits on both sides, under each of the server's hosts", async () => {
    const server = createServer({ ...identity(kitOf("hub")), requestCert: true, rejectUnauthorized: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens on TCP

    for (const host of ["localhost", "127.0.0.1"]) {
      const accepted = once(server, "secureConnection");
      const client = connect({ ...identity(kitOf("clinic-a")), host, port });
      await once(client, "secureConnect");
      const [peer] = (await accepted) as [TLSSocket];
      expect(client.authorized).toBe(true);
      expect(peer.getPeerCertificate().subject.CN).toBe("clinic-a");
      client.destroy();
      peer.destroy();
    }
    server.close();
  });

  test("refuses a site's certificate as that of a server", async () => {
    const server = createServer(identity(kitOf("clinic-a")));
    server.on("tlsClientError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo; // it listens on TCP

    const client = connect({ ca: text(kitOf("hub"), KIT_FILE.root), host: "127.0.0.1", port });

    await expect(once(client, "secureConnect")).rejects.toMatchObject({ code: "INVALID_PURPOSE" });
    server.close();
  });
});
