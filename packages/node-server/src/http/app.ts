import type { JobSummary } from "@photinus/core/coordinator";
import type { Clock, Logger } from "@photinus/core/platform";
import { type Context, Hono } from "hono";
import type { JoinSignIn } from "../sign-in/join-sign-in.ts";
import type { SignIn } from "../sign-in/sign-in.ts";
import type { Federation } from "./federation.ts";
import { addJoinSignIn, TOKEN_PATH } from "./join-sign-in-routes.ts";
import { observeJob } from "./observe-job.ts";
import { isRefusal, refuse, refuseFor } from "./problem.ts";
import type { PrometheusMetrics } from "./prometheus-metrics.ts";
import { type ReadScope, type ReadTokens, requireScope } from "./read-tokens.ts";
import { readerOf } from "./reader.ts";
import { secure } from "./security-headers.ts";
import { type BlobOptions, serveBlobs } from "./serve-blobs.ts";
import { addSignIn, POSTED } from "./sign-in-routes.ts";
import type { StaticFolder } from "./static-folder.ts";

/** What the routes answer from. */
export interface AppModules {
  readonly federation: Federation;
  readonly tokens: ReadTokens;
  /** Absent: people sign in by kit and token only. */
  readonly signIn?: SignIn | undefined;
  /** Absent: pages that take part as sites sign in nowhere. */
  readonly joinSignIn?: JoinSignIn | undefined;
  readonly metrics: PrometheusMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Built pages; absent: there are none. May still be on their way. */
  readonly pages?: Promise<StaticFolder>;
  /** Public example data under `/demo/`; absent: there is none. */
  readonly demo?: Promise<StaticFolder>;
  /** Aborted when the server stops: open responses end. */
  readonly stopping: AbortSignal;
}

/** Options of the routes. */
export interface AppOptions extends BlobOptions {
  /** Origins of other sites whose pages may read the API by a token. Default: none. */
  readonly allowedOrigins: readonly string[];
  /** Readers of observation logs at a time. */
  readonly maximumObservers: number;
  /** Longest silence of an observation stream. */
  readonly heartbeatMs: number;
  /** True when the peer of a request is this machine itself. */
  readonly isLocal: (context: Context) => boolean;
}

/** The name under which a request is counted: never a path, which could be anything. */
function routeOf(path: string): string {
  if (/^\/(healthz|readyz|metrics|ws|api\/jobs|api\/session)$/.test(path)) return path;
  if (path.startsWith("/auth/")) return "/auth/*";
  if (POSTED.test(path)) return "commands";
  if (path.startsWith("/api/")) return "/api/jobs/:id/observations";
  if (path.startsWith("/blobs/")) return "/blobs/:digest";
  return path.startsWith("/demo/") ? "/demo/*" : "pages";
}

/** Lets pages of configured origins read the API: by token, without cookies. */
function allowOrigin(context: Context, allowedOrigins: readonly string[], response: Response): Response {
  const origin = context.req.header("origin");
  if (origin === undefined || !allowedOrigins.includes(origin)) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-allow-headers", "authorization, last-event-id");
  response.headers.set("access-control-allow-methods", "GET");
  response.headers.set("cross-origin-resource-policy", "cross-origin");
  response.headers.append("vary", "origin");
  return response;
}

function isPosted(path: string, { signIn, joinSignIn }: AppModules): boolean {
  if (path === TOKEN_PATH) return joinSignIn !== undefined;
  return signIn !== undefined && POSTED.test(path);
}

/** Every response gets the security headers and is counted; but for what people may post, only GET and HEAD are taken. */
function addMiddleware(app: Hono, modules: AppModules, options: AppOptions): void {
  app.use(async (context, next) => {
    const { method } = context.req.raw;
    const isApi = context.req.path.startsWith("/api/");
    if (method === "OPTIONS" && isApi) context.res = new Response(null, { status: 204 });
    else if (method === "GET" || method === "HEAD") await next();
    else if (method === "POST" && isPosted(context.req.path, modules)) await next();
    else context.res = refuse("ERR_METHOD_NOT_ALLOWED", `${method} is not offered`, { allow: "GET, HEAD" });
    context.res = secure(new Response(context.res.body, context.res));
    if (isApi) allowOrigin(context, options.allowedOrigins, context.res);
    modules.metrics.count("photinus_http_requests_total", 1, {
      route: routeOf(context.req.path),
      status: String(context.res.status),
    });
  });
  app.onError((error) => {
    if (!isRefusal(error)) modules.logger.error("a request failed", error);
    return refuseFor(error);
  });
}

function addHealth(app: Hono, { federation, metrics, tokens }: AppModules, { isLocal }: AppOptions): void {
  app.get("/healthz", (context) => context.json({ ok: true }, 200, { "cache-control": "no-store" }));
  app.get("/readyz", (context) =>
    federation.isReady()
      ? context.json({ ready: true }, 200, { "cache-control": "no-store" })
      : refuse("ERR_GOING_AWAY", "the server takes no new work"),
  );
  app.get("/metrics", async (context) => {
    // Figures tell how busy a federation is: off this machine they need a token of the whole server.
    if (!isLocal(context)) requireScope(tokens.scopeOf(context.req.header("authorization")), undefined);
    return context.body(await metrics.render(), 200, {
      "content-type": metrics.contentType,
      "cache-control": "no-store",
    });
  });
}

function addFolders(app: Hono, { pages, demo }: AppModules): void {
  const none = (): Response => refuse("ERR_NOT_FOUND", "nothing is served here");
  app.get("/demo/*", async (context) => {
    const folder = await demo;
    return folder?.respond(context.req.path.slice("/demo".length), context.req.raw) ?? none();
  });
  app.get("/api/*", none);
  app.get("/auth/*", none);
  app.get("/blobs/*", none);
  app.get("*", async (context) => {
    const folder = await pages;
    return folder?.respond(context.req.path, context.req.raw) ?? none();
  });
}

function isShown({ jobId, study }: JobSummary, scope: ReadScope): boolean {
  if (scope.kind === "study") return study === scope.study;
  return scope.kind === "server" || scope.jobId === jobId;
}

/** The HTTP routes of a server. Hono takes no route after the first request, so all stand here. */
export function createApp(modules: AppModules, options: AppOptions): Hono {
  const app = new Hono();
  addMiddleware(app, modules, options);
  addHealth(app, modules, options);
  app.get("/api/jobs", async (context) => {
    const { scope, user } = readerOf(context, modules);
    const jobs = await modules.federation.jobs(user);
    const visible = jobs.filter((job) => isShown(job, scope));
    return context.json({ jobs: visible }, 200, { "cache-control": "no-store" });
  });
  app.get("/api/jobs/:id/observations", observeJob(modules, options));
  addSignIn(app, { ...modules, addressOf: options.addressOf });
  addJoinSignIn(app, { ...modules, addressOf: options.addressOf });
  app.get("/blobs/:digest", serveBlobs(modules, options));
  app.get("/ws", () =>
    refuse("ERR_UPGRADE_REFUSED", "this address takes WebSockets only", { upgrade: "websocket" }),
  );
  addFolders(app, modules);
  return app;
}
