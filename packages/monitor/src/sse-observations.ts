import {
  AuthorizationError,
  JobError,
  MessageError,
  type PhotinusError,
  WireError,
} from "@photinus/core/errors";
import { hasJobEnded, type Observation, type ObservationSource } from "@photinus/core/message/observation";
import { readEvents } from "./event-stream.ts";
import { parseObservation } from "./observation-schema.ts";

/** How the connection stands while a job is observed. */
export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** Lost; tried again in `delayMs`. */
  | { readonly kind: "reconnecting"; readonly delayMs: number };

/** Where observations come from by HTTP. */
export interface SseOptions {
  /** Base address of the server, `https://host[:port]`; empty for the origin of the page. */
  readonly server: string;
  /** Job id. */
  readonly job: string;
  /** Read-only token of the job; goes into a header, never into an address. Empty: the session at the page's own origin. */
  readonly token: string;
  /** Told whenever the connection changes. */
  readonly onConnection?: (state: ConnectionState) => void;
  /** Longest wait between two tries in milliseconds; 15 000 by default. */
  readonly maximumDelayMs?: number;
  /** Waits between two tries; by default a timer of the page. */
  readonly wait?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Faults that trying again does not mend. */
class Refusal extends Error {
  readonly error: PhotinusError;

  constructor(error: PhotinusError) {
    super(error.message);
    this.error = error;
  }
}

/** What one connection learned: kept for the next. */
interface Progress {
  sequence: number | undefined;
  hasEnded: boolean;
  attempt: number;
}

/**
 * Observations of a job by server-sent events. A lost connection is taken up again behind the last observation
 * (`Last-Event-ID`), after 0.5 s, then twice that each time; a gap in the numbers asks for a new snapshot.
 * `observe` ends when the job has ended and throws what trying again cannot mend: AuthorizationError
 * `ERR_FORBIDDEN`, JobError `ERR_JOB_UNKNOWN`.
 */
export function sseObservations(options: SseOptions): ObservationSource {
  return { observe: (signal) => observe(options, signal) };
}

async function* observe(options: SseOptions, signal: AbortSignal): AsyncGenerator<Observation> {
  const progress: Progress = { sequence: undefined, hasEnded: false, attempt: 0 };
  const { onConnection, maximumDelayMs = 15_000, wait = waitOnPage } = options;
  onConnection?.({ kind: "connecting" });
  while (!signal.aborted && !progress.hasEnded) {
    try {
      yield* readOnce(options, progress, signal);
      if (progress.hasEnded) return;
    } catch (error) {
      if (error instanceof Refusal) throw error.error;
    }
    if (signal.aborted) return;
    const delayMs = Math.min(500 * 2 ** progress.attempt++, maximumDelayMs);
    onConnection?.({ kind: "reconnecting", delayMs });
    await wait(delayMs, signal).catch(() => undefined);
  }
}

async function* readOnce(
  options: SseOptions,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<Observation> {
  const body = await open(options, progress.sequence, signal);
  options.onConnection?.({ kind: "live" });
  for await (const { data } of readEvents(body)) {
    const observation = parseObservation(parseJson(data));
    if (observation.kind === "increment" && observation.sequence !== (progress.sequence ?? Number.NaN) + 1) {
      progress.sequence = undefined; // a gap: the next connection begins with a snapshot
      return;
    }
    progress.sequence = observation.sequence;
    progress.attempt = 0;
    progress.hasEnded ||= endsJob(observation);
    yield observation;
  }
}

async function open(
  { server, job, token }: SseOptions,
  sequence: number | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const base = server === "" ? location.origin : server.replace(/^ws/, "http");
  const response = await fetch(new URL(`/api/jobs/${encodeURIComponent(job)}/observations`, base), {
    headers: {
      accept: "text/event-stream",
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(sequence === undefined ? {} : { "last-event-id": String(sequence) }),
    },
    cache: "no-store",
    // Without a token the session of the page's own origin may open it; no other server ever gets a cookie.
    credentials: token === "" && server === "" ? "same-origin" : "omit",
    referrerPolicy: "no-referrer",
    signal,
  });
  if (response.ok && response.body !== null) return response.body;
  await response.body?.cancel();
  throw failure(response.status, job);
}

function failure(status: number, job: string): Error {
  if (status === 401 || status === 403) {
    return new Refusal(new AuthorizationError("ERR_FORBIDDEN", `this token does not open job ${job}`));
  }
  if (status === 404) return new Refusal(new JobError("ERR_JOB_UNKNOWN", `the server knows no job ${job}`));
  return new WireError("ERR_CONNECTION_REFUSED", `the server answered HTTP ${status}`);
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new MessageError("ERR_MESSAGE_MALFORMED", "an event holds no JSON", { cause });
  }
}

function endsJob(observation: Observation): boolean {
  const state =
    observation.kind === "snapshot"
      ? observation.job.state
      : observation.change.kind === "job"
        ? observation.change.state
        : "running";
  return hasJobEnded(state);
}

function waitOnPage(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
