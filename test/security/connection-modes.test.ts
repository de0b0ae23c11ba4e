import { connect } from "@photinus/core/console";
import { silentLogger } from "@photinus/core/platform";
import { createProject, type ProvisionedProject } from "@photinus/core/provision";
import {
  type KitOfHost,
  nodeCrypto,
  openHostKit,
  pem,
  systemClock,
  webSocketConnector,
} from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../federation/a-federation.ts";

const [crypto, clock] = [nodeCrypto(), systemClock()];
let project: ProvisionedProject;

beforeAll(async () => {
  const adapter = (name: string, security: "mtls" | "tls") => ({ name, org: "o", security });
  const definition = {
    name: "trial",
    server: { name: "hub", org: "o", hosts: ["127.0.0.1"], port: 8443 },
    sites: [],
    users: [],
    adapters: [adapter("closed", "mtls"), adapter("other", "mtls"), adapter("open", "tls")],
  };
  project = await createProject(definition, { crypto, clock });
});

async function kitOf(name: string): Promise<KitOfHost> {
  const kit = project.kits.get(name);
  if (kit === undefined) throw new Error(`no kit for ${name}`);
  return await openHostKit(kit.files, kit.secret);
}

/** A server of the project by TLS, or in clear as behind a proxy that ended TLS. */
async function aServer(mode: "tls" | "clear"): Promise<string> {
  const { kit, tls } = await kitOf("hub");
  const storage = await openStorage({ folder: await temporaryFolder() }, { crypto });
  const clientRoot = pem("CERTIFICATE", kit.root.der);
  const server = new PhotinusServer(
    {
      kit: { ...kit, configuration: { ...kit.configuration, security: "tls" } },
      ...{ port: 0, trustedProxies: ["127.0.0.1"] },
      ...(mode === "tls" ? { tls: { ...tls, clientRoot } } : {}),
    },
    { storage, clock, crypto, logger: silentLogger },
  );
  const { socketUrl } = await server.start();
  onTestFinished(async () => {
    await server.stop();
    await storage.close();
  });
  return socketUrl;
}

/** Logs in as one participant, over TLS with the certificate of another, or of none. */
async function login(url: string, name: string, inTls?: string): Promise<string> {
  const { kit } = await kitOf(name);
  const { root } = kit;
  const clientCertificate = inTls === undefined ? undefined : (await kitOf(inTls)).tls;
  const connector = webSocketConnector({
    ...{ url, ca: [pem("CERTIFICATE", root.der)] },
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  });
  try {
    const federation = await connect({ kit, transport: { connector, clock, crypto } });
    await federation.close();
    return "admitted";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

test("a site for mtls needs its own certificate in the TLS of the server", async () => {
  const url = await aServer("tls");

  expect(await login(url, "closed", "closed")).toBe("admitted");
  expect(await login(url, "closed", "other")).toBe("ERR_TLS_MODE");
  expect(await login(url, "closed")).toBe("ERR_TLS_MODE");
});

test("a site for tls is admitted beside it, with a certificate of TLS or without", async () => {
  const url = await aServer("tls");

  expect(await login(url, "open")).toBe("admitted");
  expect(await login(url, "open", "open")).toBe("admitted");
});

test("behind a proxy that ends TLS, one for mtls is refused and one for tls admitted", async () => {
  const url = await aServer("clear");

  expect(await login(url, "closed")).toBe("ERR_TLS_MODE");
  expect(await login(url, "open")).toBe("admitted");
});

test("a server in clear does not start where every site was provisioned for mtls", async () => {
  const { kit } = await kitOf("hub");
  const storage = await openStorage({ folder: await temporaryFolder() }, { crypto });
  onTestFinished(() => storage.close());
  const strict = { ...kit, configuration: { ...kit.configuration, security: "mtls" as const } };

  expect(
    () => new PhotinusServer({ kit: strict, port: 0 }, { storage, clock, crypto, logger: silentLogger }),
  ).toThrowError(expect.objectContaining({ code: "ERR_TLS_MODE" }));
});
