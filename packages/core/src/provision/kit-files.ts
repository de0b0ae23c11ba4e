import { type Bytes, utf8 } from "../bytes/index.ts";
import { DEFAULT_PRIVACY_DOCUMENT } from "../filter/index.ts";
import type { Role } from "../pki/index.ts";

/** The files of a kit by path: `/` between folders, no leading one. */
export type KitFiles = ReadonlyMap<string, Bytes>;

/** Names of the files that a kit may hold. */
export const KIT_FILE = {
  /** What the kit consists of; signed. */
  manifest: "manifest.json",
  /** Signature over the manifest: detached CMS, PEM. */
  signature: "manifest.p7s",
  /** Root certificate of the project, PEM. */
  root: "root.pem",
  /** Own certificate chain, PEM, leaf first. */
  certificate: "certificate.pem",
  /** Own private key, encrypted, PEM. */
  key: "key.pem",
  /** Who this is and where the server is, JSON. */
  configuration: "config.json",
  /** Server: list of revoked certificates as of the kit's issue, PEM. */
  revocationList: "root.crl",
  /** Starts the participant's process. */
  start: "start.sh",
  /** The same by systemd. */
  unit: "photinus.service",
  /** Server: certificate of the enrolment CA, PEM. */
  enrolmentCertificate: "enrolment.pem",
  /** Server: private key of the enrolment CA, encrypted, PEM. */
  enrolmentKey: "enrolment-key.pem",
  /** Server: key that wraps the keys of everything at rest, itself wrapped, JSON. */
  storageKey: "storage-key.json",
  /** Server: all machines that have kits, JSON. */
  machines: "machines.json",
  /** CAs of a proxy that ends TLS before the server, PEM; trusted for TLS only. */
  tlsAuthorities: "tls-ca.pem",
} as const;

/** Folder that an administrator may edit; the manifest does not reach there. */
export const LOCAL_FOLDER = "local/";

/** In a server's kit: the newest list of revoked certificates, PEM, where an administrator puts it. */
export const LOCAL_REVOCATION_LIST = "local/root.crl";

/** In a server's kit: machines that got kits after it, JSON, where an administrator puts it. */
export const LOCAL_MACHINES = "local/machines.json";

/** In a server's kit: sites, scopes and studies of the project, JSON, where an administrator puts it. */
export const LOCAL_ROSTER = "local/roster.json";

/** In a server's kit: names of revoked sites that joined by a link, one a line, as an administrator writes them. */
export const LOCAL_REVOKED_SITES = "local/revoked-sites";

/** In a server's kit: identity providers at login and on the dashboard, JSON, as an administrator writes it. */
export const LOCAL_AUTHENTICATION = "local/authentication.json";

/** Own keys, which the manifest of a kit that was issued to a request does not list: they never were elsewhere. */
export const OWN_KEY_FILES: ReadonlySet<string> = new Set([
  KIT_FILE.key,
  KIT_FILE.enrolmentKey,
  KIT_FILE.storageKey,
]);

/** Of a participant that made its keys itself: its request, PEM. */
export const LOCAL_REQUEST = "local/request.pem";

/** Of a participant that made its keys itself: what opens them; it may be moved elsewhere. */
export const LOCAL_SECRET = "local/secret";

/** In the kit of a site or user: where to sign in when the server wants that beside the certificate, JSON. */
export const LOCAL_SIGN_IN = "local/sign-in.json";

/** In the kit of a site or server: who may do what, JSON, as an administrator of the organization writes it. */
export const LOCAL_AUTHORIZATION = "local/authorization.json";

/** In the kit of a site: what may leave, JSON, as an administrator of the organization writes it. Kits ship one. */
export const LOCAL_PRIVACY = "local/privacy.json";

/** What a new site's folder holds in `local/`: the policy to begin with. */
export function localFiles(role: Role): KitFiles {
  if (role !== "site") return new Map();
  return new Map([[LOCAL_PRIVACY, utf8(`${JSON.stringify(DEFAULT_PRIVACY_DOCUMENT, undefined, 2)}\n`)]]);
}

/** In the kit of a site: what its host has for jobs, JSON, as an administrator of the organization writes it. */
export const LOCAL_RESOURCES = "local/resources.json";

/** Plug-ins of the host, named by who runs it: modules of its own. */
export const LOCAL_PLUGINS = "local/plugins.json";

/** Limits of a kit. */
export const KIT_LIMITS: KitLimits = { files: 64, fileBytes: 1_048_576 };

/** Limits of a kit. */
export interface KitLimits {
  /** Most files outside `local/`. */
  readonly files: number;
  /** Most bytes of one file. */
  readonly fileBytes: number;
}
