import { once } from "node:events";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { explainRefusal } from "@photinus/node-platform";
import { type Finding, failed, ok, skipped, warning } from "../finding.ts";
import { sniOf, stepSignal, tunnelOf, type Way, type WayProbe } from "../way.ts";

const DAY_MS = 86_400_000;
/** Certificates of public CAs are renewed thirty days before their end: one with less was forgotten. */
const REMIND_DAYS = 14;

/** Is the other side TLS, with a certificate for this name, of a root that is trusted, and for how long? */
export const tls: WayProbe = {
  name: "tls",
  async run(way) {
    if (!way.isSecure) return skipped("clear");
    const socket = await open(way);
    try {
      await once(socket, "secureConnect", { signal: stepSignal(way) });
      return judge(socket, way);
    } catch (error) {
      return failed("ERR_CONNECTION_REFUSED", explainRefusal(way.url, error), REMEDY.handshake);
    } finally {
      socket.destroy();
    }
  },
};

const REMEDY = {
  handshake: "Check that the port is one of TLS, and for mtls that the secret of the kit was given.",
  name: "Put the name into the certificate, or use an address that it names; kits carry the names of project.yml.",
  root: "Use a certificate of the project or of a public CA; for one of your own set server.tlsCa in project.yml and issue the kits again.",
  expired:
    "Renew the certificate: of an ingress there, of the server by a new kit; both reload without a restart.",
  late: "Check the clocks of both machines.",
} as const;

async function open(way: Way): Promise<TLSSocket> {
  const { host, port, authorities, subject } = way;
  const tunnel = await tunnelOf(way);
  const { opened } = subject;
  return connect({
    ...(tunnel === undefined ? { host, port } : { socket: tunnel, host }),
    ...(opened !== undefined ? { cert: opened.tls.certificate, key: opened.tls.privateKey } : {}),
    servername: sniOf(way),
    ca: [...authorities],
    minVersion: "TLSv1.2",
    rejectUnauthorized: false, // looked at below, to say what is wrong; nothing is sent
  });
}

function judge(socket: TLSSocket, { subject }: Way): Finding {
  const peer = socket.getPeerCertificate();
  const who = `${nameOf(peer)} by ${peer.issuer?.CN ?? peer.issuer?.O ?? "an unnamed issuer"}`;
  const untilMs = Date.parse(peer.valid_to);
  const seen = `${socket.getProtocol()}, ${who}, until ${new Date(untilMs).toISOString().slice(0, 10)}`;
  const fault = socket.authorized ? undefined : String(socket.authorizationError);
  if (fault !== undefined)
    return failed("ERR_CONNECTION_REFUSED", `${explain(fault)} (${seen})`, remedyOf(fault));
  const days = Math.floor((untilMs - subject.clock.now()) / DAY_MS);
  return days < REMIND_DAYS ? warning(`${seen}: ${days} days`, REMEDY.expired) : ok(seen);
}

function nameOf({ subjectaltname, subject }: PeerCertificate): string {
  return String(subjectaltname ?? subject?.CN ?? "unnamed").slice(0, 200);
}

/** Node names the fault by a code, or by a sentence that begins with one. */
function explain(fault: string): string {
  const code = /[A-Z][A-Z0-9_]{6,}/.exec(fault)?.[0] ?? fault;
  return explainRefusal("the certificate", Object.assign(new Error(fault), { code }));
}

function remedyOf(fault: string): string {
  if (fault.includes("ALTNAME")) return REMEDY.name;
  if (fault.includes("EXPIRED")) return REMEDY.expired;
  return fault.includes("NOT_YET_VALID") ? REMEDY.late : REMEDY.root;
}
