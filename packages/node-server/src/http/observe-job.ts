import { WireError } from "@photinus/core/errors";
import type { Observation } from "@photinus/core/message";
import type { Context } from "hono";
import type { AppModules, AppOptions } from "./app.ts";
import { observationStream } from "./observation-stream.ts";
import { requireScope, studyOf } from "./read-tokens.ts";
import { readerOf } from "./reader.ts";

const HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  // nginx buffers responses unless told not to.
  "x-accel-buffering": "no",
};

/** Sequence that the reader has seen: absent or malformed means from the beginning. */
function lastSequence(header: string | undefined): { readonly fromSequence?: number } {
  if (header === undefined || !/^\d{1,15}$/.test(header)) return {};
  return { fromSequence: Number(header) };
}

/** Answers `GET /api/jobs/:id/observations` by server-sent events. */
export function observeJob(
  modules: AppModules,
  options: AppOptions,
): (context: Context) => Promise<Response> {
  let observers = 0;
  const change = (by: 1 | -1): void => {
    observers += by;
    modules.metrics.gauge("photinus_observers", observers);
  };
  return async (context) => {
    const jobId = context.req.param("id") ?? "";
    const reader = readerOf(context, modules);
    requireScope(reader.scope, jobId);
    if (observers >= options.maximumObservers) throw new WireError("ERR_BUSY", "too many people watch");
    // Counted before anything is waited for: many requests at once are held to the limit as well.
    change(1);
    const left = new AbortController();
    let hasEnded = false;
    const onEnd = (): void => {
      if (!hasEnded) change(-1);
      hasEnded = true;
      left.abort();
    };
    const ends = [left.signal, modules.stopping, ...(reader.signal === undefined ? [] : [reader.signal])];
    const signal = AbortSignal.any(ends);
    const rest = modules.federation
      .observe(jobId, {
        ...{ ...lastSequence(context.req.header("last-event-id")), ...studyOf(reader.scope) },
        ...{ user: reader.user, signal },
      })
      [Symbol.asyncIterator]();
    let first: IteratorResult<Observation>;
    try {
      first = await rest.next();
    } catch (error) {
      onEnd();
      throw error;
    }
    if (context.req.raw.method === "HEAD") {
      onEnd();
      return new Response(null, { headers: HEADERS });
    }
    const { clock } = modules;
    const body = observationStream(first, rest, { clock, heartbeatMs: options.heartbeatMs, onEnd });
    return new Response(body, { headers: HEADERS });
  };
}
