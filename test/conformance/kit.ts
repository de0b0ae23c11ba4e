import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a client needs of a startup kit. */
export interface Kit {
  readonly project: string;
  readonly serverName: string;
  /** DER. */
  readonly root: Buffer;
  /** DER, leaf first. */
  readonly chain: readonly Buffer[];
  readonly key: KeyObject;
}

/** Reads the folder of a kit: certificates in PEM, the key in encrypted PKCS#8, who and where in JSON. */
export function readKit(folder: string, passphrase: string): Kit {
  const file = (name: string): string => readFileSync(join(folder, name), "utf8");
  const { project, server } = JSON.parse(file("config.json")) as {
    project: string;
    server: { name: string };
  };
  const certificates = file("certificate.pem").match(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  );
  return {
    project,
    serverName: server.name,
    root: new X509Certificate(file("root.pem")).raw,
    chain: (certificates ?? []).map((pem) => new X509Certificate(pem).raw),
    key: createPrivateKey({ key: file("key.pem"), passphrase }),
  };
}
