import type { SiteReady } from "../message/index.ts";
import type { Session } from "../session/index.ts";
import type { ConnectedSite } from "./options.ts";

/** A site that is connected and has said what it can do. */
export interface LiveSite extends ConnectedSite {
  readonly session: Session;
  /** What it said of itself. */
  readonly announced: SiteReady;
  /** Roots in hex of the publications that went over this session. */
  readonly sentBlobs: Set<string>;
  /** Roots in hex of blobs that are being sent: asked for again, they are not sent twice at once. */
  readonly sendingBlobs: Set<string>;
}

/** A {@link LiveSite} from its session and what it announced. */
export function liveSite(session: Session, announced: SiteReady, connectedAtMs: number): LiveSite {
  const { name, org } = session.peer;
  const { runtime, dataNames } = announced;
  const facts = { name, org, runtime, dataNames, connectedAtMs };
  return { ...facts, session, announced, sentBlobs: new Set(), sendingBlobs: new Set() };
}
