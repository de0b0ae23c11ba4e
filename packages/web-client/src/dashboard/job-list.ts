import { AuthenticationError, HostError, MessageError, WireError } from "@photinus/core/errors";
import * as v from "valibot";

/** A job in the list of a server. */
export interface ListedJob {
  readonly jobId: string;
  readonly name: string;
  readonly state: string;
  /** Name in the certificate of who submitted it. */
  readonly submitter: string;
  /** Milliseconds since 1970. */
  readonly submittedAtMs: number;
}

const text = (maximum: number) => v.pipe(v.string(), v.maxLength(maximum));

const JobListSchema: v.GenericSchema<unknown, { readonly jobs: readonly ListedJob[] }> = v.object({
  jobs: v.pipe(
    v.array(
      v.object({
        jobId: text(128),
        name: text(200),
        state: text(20),
        submitter: text(320),
        submittedAtMs: v.pipe(v.number(), v.safeInteger()),
      }),
    ),
    v.maxLength(10_000),
  ),
});

/**
 * Jobs that a token opens, or the session of who is signed in; newest last.
 *
 * @param token read-only token; empty: the session
 * @throws HostError `ERR_READ_TOKEN_REFUSED` for a token that the server does not know, AuthenticationError
 *   `ERR_SIGN_IN_EXPIRED`, WireError
 *   `ERR_CONNECTION_REFUSED` when no list came, MessageError `ERR_MESSAGE_MALFORMED` when it is not one
 */
export async function listJobs(token: string, signal: AbortSignal): Promise<readonly ListedJob[]> {
  const response = await get(token, signal);
  if (response.status === 401 || response.status === 403) {
    if (token === "") throw new AuthenticationError("ERR_SIGN_IN_EXPIRED", "nobody is signed in any more");
    throw new HostError("ERR_READ_TOKEN_REFUSED", "this read-only token is not known here");
  }
  if (!response.ok)
    throw new WireError("ERR_CONNECTION_REFUSED", `the server answered HTTP ${response.status}`);
  const parsed = v.safeParse(JobListSchema, await response.json().catch(() => undefined));
  if (!parsed.success) throw new MessageError("ERR_MESSAGE_MALFORMED", v.summarize(parsed.issues));
  return parsed.output.jobs;
}

async function get(token: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch("/api/jobs", {
      headers: {
        accept: "application/json",
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      cache: "no-store",
      credentials: token === "" ? "same-origin" : "omit",
      signal,
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new WireError("ERR_CONNECTION_REFUSED", "the server does not answer", { cause });
  }
}
