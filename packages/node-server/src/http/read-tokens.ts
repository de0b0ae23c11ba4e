import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { HostError } from "@photinus/core/errors";

/** What a read-only token opens: one job, the jobs of one study, or every job of the server. */
export type ReadScope =
  | { readonly kind: "server" }
  | { readonly kind: "study"; readonly study: string }
  | { readonly kind: "job"; readonly jobId: string };

/** Read-only tokens of people who watch. Only digests are kept. */
export interface ReadTokens {
  /** @returns a fresh token: 256 random bits, base64url */
  issue(scope: ReadScope): string;
  /** Takes the token back; one that is unknown is no error. */
  revoke(token: string): void;
  /**
   * The scope that an `Authorization` header opens.
   * @throws HostError `ERR_READ_TOKEN_REFUSED` without a known bearer token
   */
  scopeOf(authorization: string | null | undefined): ReadScope;
}

/** Most tokens at a time: each request is compared with all of them. */
const MAX_TOKENS = 1_000;
const BEARER = /^Bearer ([A-Za-z0-9_-]{1,128})$/i;

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** Read-only tokens in memory: they end with the process. */
export function readTokens(): ReadTokens {
  let known: readonly { readonly digest: Buffer; readonly scope: ReadScope }[] = [];
  return {
    issue(scope) {
      if (known.length === MAX_TOKENS) throw new RangeError(`more than ${MAX_TOKENS} read-only tokens`);
      const token = randomBytes(32).toString("base64url");
      known = [...known, { digest: digestOf(token), scope }];
      return token;
    },
    revoke(token) {
      const digest = digestOf(token);
      known = known.filter((entry) => !timingSafeEqual(entry.digest, digest));
    },
    scopeOf(authorization) {
      const token = BEARER.exec(authorization ?? "")?.[1];
      if (token === undefined) throw new HostError("ERR_READ_TOKEN_REFUSED", "expected a bearer token");
      const digest = digestOf(token);
      // Every entry is compared, in constant time: the answer's time tells nothing about a token.
      let scope: ReadScope | undefined;
      for (const entry of known) if (timingSafeEqual(entry.digest, digest)) scope = entry.scope;
      if (scope === undefined) throw new HostError("ERR_READ_TOKEN_REFUSED", "this token is not known here");
      return scope;
    },
  };
}

/** @throws HostError `ERR_READ_TOKEN_SCOPE` when the scope does not include the job (`undefined`: all jobs); of a study, see {@link studyOf} */
export function requireScope(scope: ReadScope, jobId: string | undefined): void {
  if (scope.kind === "server" || (scope.kind === "study" && jobId !== undefined)) return;
  if (scope.kind === "job" && scope.jobId === jobId) return;
  throw new HostError("ERR_READ_TOKEN_SCOPE", "this token is for one other job");
}

/** The study beyond which a scope shows nothing: whoever reads by it is told of other jobs as of those that are not there. */
export function studyOf(scope: ReadScope): { readonly study?: string } {
  return scope.kind === "study" ? { study: scope.study } : {};
}
