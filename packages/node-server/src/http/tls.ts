import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  createSecureContext,
  type TlsOptions as NodeTlsOptions,
  type SecureContext,
  type SecureContextOptions,
  TLSSocket,
} from "node:tls";
import { type Bytes, toBytes } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import type { TlsIdentity } from "@photinus/node-platform";

/** TLS of a server. */
export interface TlsOptions extends TlsIdentity {
  /**
   * PEM root of the clients that are asked for a certificate. TLS does not refuse a client without one: pages have
   * none. Who must have one is decided when the peer has authenticated. Absent: nobody is asked.
   */
  readonly clientRoot?: string;
  /**
   * Certificate of a public CA for the pages: presented to whoever asks by SNI for a name that it covers. Everybody else
   * gets the project's. Absent: everybody does.
   */
  readonly publicIdentity?: TlsIdentity;
}

interface PublicContext {
  readonly context: SecureContext;
  readonly certificate: X509Certificate;
}

/** The certificates that a server presents; they may be exchanged while it runs. */
export class TlsContexts {
  #project: SecureContext;
  #public: PublicContext | undefined;
  readonly #asksClients: boolean;

  /** @throws HostError `ERR_CONFIG_INVALID` when a certificate and its key do not belong together */
  constructor(options: TlsOptions) {
    this.#asksClients = options.clientRoot !== undefined;
    this.#project = contextOf(options, options);
    this.#public = publicContextOf(options);
  }

  /** The options of Node for a server that presents these, those of later included. */
  serverOptions(options: TlsOptions): SecureContextOptions & NodeTlsOptions {
    return {
      ...secureOptions(options, options),
      ...(this.#asksClients ? { requestCert: true, rejectUnauthorized: false } : {}),
      SNICallback: (name, done) => done(null, this.#chosenFor(name)),
    };
  }

  /**
   * Presents these to connections that begin from here on; open ones stay as they are. Nothing changes when it throws.
   * @throws HostError `ERR_CONFIG_INVALID`
   */
  replace(options: TlsOptions): void {
    const [project, forPages] = [contextOf(options, options), publicContextOf(options)];
    this.#project = project;
    this.#public = forPages;
  }

  #chosenFor(name: string): SecureContext {
    const isPublic = this.#public?.certificate.checkHost(name) !== undefined;
    return isPublic && this.#public !== undefined ? this.#public.context : this.#project;
  }
}

/** For TLS contexts: where nobody names a host, the project's certificate is presented. */
export function secureOptions(
  { certificate, privateKey }: TlsIdentity,
  { clientRoot }: Pick<TlsOptions, "clientRoot">,
): SecureContextOptions {
  return {
    cert: certificate,
    key: privateKey,
    minVersion: "TLSv1.2",
    // Named to clients as the only issuer: a browser then offers its reader no certificates of others.
    ...(clientRoot === undefined ? {} : { ca: clientRoot }),
  };
}

function contextOf(identity: TlsIdentity, options: TlsOptions): SecureContext {
  try {
    return createSecureContext(secureOptions(identity, options));
  } catch (cause) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "a certificate for TLS and its private key are unreadable, or do not belong together",
      { cause },
    );
  }
}

function publicContextOf(options: TlsOptions): PublicContext | undefined {
  const { publicIdentity } = options;
  if (publicIdentity === undefined) return undefined;
  const context = contextOf(publicIdentity, options);
  return { context, certificate: new X509Certificate(publicIdentity.certificate) };
}

/** The certificate that the peer of a request presented to TLS, DER; the key was proved by TLS itself. */
export function tlsLeafOf({ socket }: IncomingMessage): Bytes | undefined {
  const der = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
  return der === undefined ? undefined : toBytes(der);
}
