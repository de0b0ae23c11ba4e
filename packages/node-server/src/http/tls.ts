import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type TlsOptions as NodeTlsOptions, type SecureContextOptions, TLSSocket } from "node:tls";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import type { TlsIdentity } from "@photinus/node-platform";

/** TLS of a server. */
export interface TlsOptions extends TlsIdentity {
  /**
   * PEM root of the clients that are asked for a certificate. TLS does not refuse a client without one: pages have
   * none. Who must have one is decided when the peer has authenticated. Absent: nobody is asked.
   */
  readonly clientRoot?: string;
}

/** The options of Node for these. */
export function nodeTlsOptions({
  certificate,
  privateKey,
  clientRoot,
}: TlsOptions): SecureContextOptions & NodeTlsOptions {
  return {
    cert: certificate,
    key: privateKey,
    minVersion: "TLSv1.2",
    ...(clientRoot === undefined ? {} : { requestCert: true, rejectUnauthorized: false, ca: clientRoot }),
  };
}

/** SHA-256 of the certificate that the peer of a request presented to TLS; the key was proved by TLS itself. */
export function tlsLeafDigestOf({ socket }: IncomingMessage): Bytes | undefined {
  const der = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  return der === undefined ? undefined : toBytes(createHash("sha256").update(der).digest());
}
