import { toHex } from "../bytes/index.ts";
import type { Session } from "../session/index.ts";
import { SessionFence, type SessionFenceModules } from "./session-fence.ts";

/** What the older of two sessions of one certificate is told. */
export const ANOTHER_SESSION = "a newer session of this certificate took over";
/** What the older of two devices of one site is told: one works at a time, the one that announced itself last. */
export const ANOTHER_DEVICE = "another device of this participant took over";

/** Who is connected to this gateway. */
export interface LiveSessions {
  /** The live session of each certificate, by the digest of its leaf in hex. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Sites that have announced themselves, by name. */
  readonly sites: ReadonlyMap<string, { readonly session: Session }>;
  /** Ends a session, and says why. */
  readonly supersede: (session: Session, detail: string) => void;
}

/** What may be once only over all gateways: a session of a certificate, a device of a site. */
export interface SessionFences {
  /** Begins to listen. */
  start(): void;
  /** Listens no more. Idempotent. */
  stop(): void;
  /** False while this gateway cannot know what the others do. */
  readonly mayAdmit: boolean;
  /** A session of a certificate was admitted. */
  admitted(session: Session): void;
  /** A site announced itself over a session. */
  announced(session: Session): void;
}

/** Both fences of a gateway. */
export function sessionFences(
  modules: Pick<SessionFenceModules, "bus" | "clock" | "crypto" | "logger">,
  { sessions, sites, supersede }: LiveSessions,
): SessionFences {
  const certificates = new SessionFence({
    ...modules,
    subject: "sessions",
    ownerOf: ({ peer }) => toHex(peer.leafDigest),
    sessionOf: (leaf) => sessions.get(leaf),
    sessions: () => sessions.values(),
    supersede: (session) => supersede(session, ANOTHER_SESSION),
  });
  const devices = new SessionFence({
    ...modules,
    subject: "sites",
    ownerOf: ({ peer }) => peer.name,
    sessionOf: (name) => sites.get(name)?.session,
    sessions: () => [...sites.values()].map(({ session }) => session),
    supersede: (session) => supersede(session, ANOTHER_DEVICE),
  });
  return {
    start: () => {
      certificates.start();
      devices.start();
    },
    stop: () => {
      certificates.stop();
      devices.stop();
    },
    get mayAdmit() {
      return certificates.mayAdmit;
    },
    admitted: (session) => certificates.admitted(session),
    announced: (session) => devices.admitted(session),
  };
}
