import { type Bytes, SparseSet } from "../bytes/index.ts";
import type { SiteReady } from "../message/index.ts";
import type { Session, SessionEnd } from "../session/index.ts";
import type { ConnectedSite } from "./options.ts";
import type { ResumeRecord } from "./resume-record.ts";

/** A site that is connected and has said what it can do. */
export interface LiveSite extends ConnectedSite, ResumedState {
  readonly session: Session;
  /** Study of the invite by which it joined; of a site with a kit none. */
  readonly invitedTo: string | undefined;
  /** Jobs that it had prepared when it came. */
  readonly preparedJobs: SiteReady["preparedJobs"];
  /** Updates that it held when it came. */
  readonly heldUpdates: SiteReady["heldUpdates"];
  /** Roots in hex of the publications that went over this session. */
  readonly sentBlobs: SparseSet<string>;
  /** Roots in hex of blobs that are being sent: asked for again, they are not sent twice at once. */
  readonly sendingBlobs: SparseSet<string>;
  /** Ids of the tasks that went over this session. */
  readonly sentTasks: SparseSet<string>;
}

/** What a session takes up of the earlier ones of its participant. */
export interface ResumedState {
  /** What lasts of its sessions. */
  readonly record: ResumeRecord;
  /** True when it asked by RESUME: it then sends again by itself what it holds. */
  readonly hasAsked: boolean;
  /** Tasks that it has at work or has answered, with their model: they are not sent again. */
  readonly acknowledged: ReadonlySet<string>;
  /** Bitmaps of the chunks that it has of sealed blobs, by root in hex; each counts for the first time that it is sent. */
  readonly heldBlobs: Pick<Map<string, Bytes>, "get" | "delete">;
}

/** What a {@link liveSite} is made of. */
export interface LiveSiteParts {
  /** Its session. */
  readonly session: Session;
  /** What it said of itself. */
  readonly announced: SiteReady;
  /** ms since 1970. */
  readonly connectedAtMs: number;
  /** What lasts of its earlier sessions. */
  readonly resumed: ResumedState;
  /** Study of the invite by which it joined. */
  readonly invitedTo: string | undefined;
}

/** A {@link LiveSite} from its session and what it announced. */
export function liveSite({ session, announced, connectedAtMs, resumed, invitedTo }: LiveSiteParts): LiveSite {
  const { name, org } = session.peer;
  const { runtime, dataNames, preparedJobs, heldUpdates } = announced;
  const { record, hasAsked, acknowledged, heldBlobs } = resumed;
  return {
    name,
    org,
    runtime,
    dataNames: exactly(dataNames),
    connectedAtMs,
    record,
    hasAsked,
    acknowledged,
    heldBlobs,
    session,
    invitedTo,
    preparedJobs: exactly(preparedJobs),
    heldUpdates: exactly(heldUpdates),
    sentBlobs: new SparseSet(),
    sendingBlobs: new SparseSet(),
    sentTasks: new SparseSet(),
  };
}

/** Close code of a browser whose page was closed or left (RFC 6455, section 7.4.1). */
const PAGE_CLOSED = 1001;

/**
 * True when a site is not waited for: it ended its session itself in order, or its page was closed, with which its work is
 * gone. Whoever is on the way may forge that close code, and could as well hold the connection.
 */
export function hasLeft(site: LiveSite | undefined, { local, code, closeCode }: SessionEnd): boolean {
  if (local) return false;
  return code === "ERR_GOING_AWAY" || (closeCode === PAGE_CLOSED && site?.runtime === "browser");
}

const NONE: readonly never[] = [];

/** The same in an array without room for more, which one that was filled as it was read has plenty of. */
function exactly<Item>(items: readonly Item[]): readonly Item[] {
  return items.length === 0 ? NONE : items.slice();
}

/** What others see of a site. */
export function connectedSite({ name, org, runtime, dataNames, connectedAtMs }: LiveSite): ConnectedSite {
  return { name, org, runtime, dataNames, connectedAtMs };
}
