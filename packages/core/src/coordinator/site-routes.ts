import { toHex } from "../bytes/index.ts";
import { MessageError, WireError } from "../errors/index.ts";
import type { SiteReady } from "../message/index.ts";
import {
  blobRequest,
  contribution,
  evaluationResult,
  jobAccept,
  jobDecline,
  jobPostpone,
  jobReady,
  siteReady,
  taskFailed,
  taskProgress,
} from "../message/index.ts";
import { Allowance } from "../platform/index.ts";
import {
  type MessageRoute,
  on,
  type ResumeBody,
  type RouteTable,
  resume,
  routeTable,
  type Session,
} from "../session/index.ts";
import type { JobRun } from "./job-run.ts";
import type { LiveSite, ResumedState } from "./live-site.ts";
import { identityOf } from "./message-identity.ts";

/** Progress that a site may show, and refusals that it may cause: an honest one tells a few times a second. */
const PROGRESS = { atOnce: 64, perSecond: 20 } as const;

/** What a coordinator does with what sites say. */
export interface SiteDesk {
  /** Now, ms. */
  readonly now: () => number;
  /** A session takes up what lasts of the earlier ones of its site, and answers RESUME when there is one. */
  readonly takeUp: (session: Session, body: ResumeBody | undefined) => Promise<ResumedState>;
  /** A site announced itself: once in a session. */
  readonly arrive: (session: Session, body: SiteReady, resumed: ResumedState) => Promise<void>;
  /** The site of a session, once it announced itself. */
  readonly siteOf: (session: Session) => LiveSite | undefined;
  /** A site says that it takes part in a job. */
  readonly takesPart: (jobId: string, site: LiveSite) => Promise<void>;
  /** A site takes no part in a job, or not yet: it has a place for another one. */
  readonly released: (jobId: string, site: LiveSite) => void;
  /** A result came of a job that does not run. */
  readonly refuseResult: (
    site: LiveSite,
    body: { readonly jobId: string; readonly taskId: string },
  ) => Promise<void>;
  /** The run of a job; a site that speaks of another job is told that it has ended. */
  readonly runOf: (jobId: string, site: LiveSite) => Promise<JobRun | undefined>;
}

/** The messages that sites may send, each to the run of its job; one table for all sessions. @param more beside those */
export function siteRoutes(desk: SiteDesk, more: readonly MessageRoute[] = []): RouteTable {
  const progress = new WeakMap<Session, Allowance>();
  const resumed = new WeakMap<Session, ResumedState>();
  const progressOf = (session: Session): Allowance => {
    const budget = progress.get(session) ?? new Allowance(PROGRESS);
    progress.set(session, budget);
    return budget;
  };
  /** The site and the run that a message is about; `undefined` when the job is not running. */
  const place = async (session: Session, jobId: string): Promise<[LiveSite, JobRun] | undefined> => {
    const site = desk.siteOf(session);
    if (site === undefined) throw new MessageError("ERR_TYPE_UNKNOWN", "a site announces itself first");
    const run = await desk.runOf(jobId, site);
    return run === undefined ? undefined : [site, run];
  };
  const route = async <T>(
    session: Session,
    jobId: string,
    handle: (site: LiveSite, run: JobRun) => T,
  ): Promise<void> => {
    const found = await place(session, jobId);
    if (found !== undefined) await handle(...found);
  };
  const result = resultRoute(desk, place);
  return routeTable([
    on(resume, async (body, _message, session) => {
      // [W-124]
      if (resumed.has(session)) throw new WireError("ERR_RESUME_REFUSED", "RESUME comes first, and once");
      resumed.set(session, await desk.takeUp(session, body));
    }),
    on(siteReady, async (body, _message, session) => {
      const state = resumed.get(session) ?? (await desk.takeUp(session, undefined));
      resumed.set(session, state);
      await desk.arrive(session, body, state);
    }),
    ...consentRoutes(desk, route),
    on(jobReady, (body, _message, session) =>
      route(session, body.jobId, (site, run) => run.ready(site, body)),
    ),
    on(taskProgress, async (body, _message, session) => {
      // Whoever watches is told of each: a site that floods is shown less often.
      if (progressOf(session).take(desk.now()) > 0) return;
      await route(session, body.jobId, (site, run) => run.progress(site, body));
    }),
    on(contribution, (body, message, session) =>
      result(session, body, (site, run) => run.contribution(site, body, identityOf(message))),
    ),
    on(evaluationResult, (body, message, session) =>
      result(session, body, (site, run) => run.evaluation(site, body, identityOf(message))),
    ),
    on(taskFailed, (body, _message, session) =>
      route(session, body.jobId, (site, run) => run.taskFailed(site, body)),
    ),
    on(blobRequest, ({ jobId, root }, _message, session) =>
      route(session, jobId, (site, run) => run.blobRequest(site, toHex(root))),
    ),
    ...more,
  ]);
}

/** Hands what a site says of a job to the job's run. */
type Route = <T>(
  session: Session,
  jobId: string,
  handle: (site: LiveSite, run: JobRun) => T,
) => Promise<void>;

/** Hands a result to the run of its job; one of a job that does not run is refused with its one cause. */
function resultRoute(
  desk: SiteDesk,
  place: (session: Session, jobId: string) => Promise<[LiveSite, JobRun] | undefined>,
) {
  const strays = new WeakMap<Session, Allowance>();
  return async (
    session: Session,
    body: { readonly jobId: string; readonly taskId: string },
    handle: (site: LiveSite, run: JobRun) => Promise<void>,
  ): Promise<void> => {
    const found = await place(session, body.jobId);
    if (found !== undefined) return await handle(...found);
    // Each refusal is a durable record.
    const budget = strays.get(session) ?? new Allowance(PROGRESS);
    strays.set(session, budget);
    if (budget.take(desk.now()) > 0)
      throw new WireError("ERR_RATE_LIMITED", "too many results that nobody asked for");
    const site = desk.siteOf(session);
    if (site !== undefined) await desk.refuseResult(site, body);
  };
}

/** Whether a site takes part. */
function consentRoutes(desk: SiteDesk, route: Route): readonly MessageRoute[] {
  return [
    on(jobAccept, ({ jobId, terms }, _message, session) =>
      route(session, jobId, async (site, run) => {
        await desk.takesPart(jobId, site);
        await run.accepted(site, terms);
      }),
    ),
    on(jobDecline, ({ jobId, reason }, _message, session) =>
      route(session, jobId, async (site, run) => {
        await run.declined(site, reason);
        desk.released(jobId, site);
      }),
    ),
    on(jobPostpone, ({ jobId, reason }, _message, session) =>
      route(session, jobId, (site, run) => {
        run.postponed(site, reason);
        desk.released(jobId, site);
      }),
    ),
  ];
}
