import type { Context } from "hono";
import { readCookie } from "../sign-in/cookies.ts";
import type { SignIn } from "../sign-in/sign-in.ts";
import type { SignedInUser, UserSession } from "../sign-in/user-sessions.ts";
import type { ReadScope, ReadTokens } from "./read-tokens.ts";

/** Who may know about readers. */
export interface ReaderModules {
  readonly tokens: ReadTokens;
  /** Absent: people sign in by kit and token only. */
  readonly signIn?: SignIn | undefined;
}

/** Somebody who may read. */
export interface Reader {
  readonly scope: ReadScope;
  /** Who signed in: the policy decides what of the scope is shown. Absent for a token. */
  readonly user?: SignedInUser;
  /** Aborted when the right to read ends; absent while it does not. */
  readonly signal?: AbortSignal;
}

/**
 * Who asks: by a read-only token, or by the session of somebody who signed in.
 * @throws HostError `ERR_READ_TOKEN_REFUSED`, AuthenticationError `ERR_SIGN_IN_EXPIRED`
 */
export function readerOf(context: Context, { tokens, signIn }: ReaderModules): Reader {
  const authorization = context.req.header("authorization");
  if (authorization !== undefined || signIn === undefined || sessionIdOf(context, signIn) === undefined) {
    return { scope: tokens.scopeOf(authorization) };
  }
  const { user, signal } = sessionOf(context, signIn, false);
  return { scope: { kind: "server" }, user, signal };
}

/**
 * The session that the cookie of a request names. A request that a page of another origin made is none of it.
 * @throws AuthenticationError `ERR_SIGN_IN_EXPIRED`
 */
export function sessionOf(context: Context, signIn: SignIn, isUse: boolean): UserSession {
  return signIn.require(sessionIdOf(context, signIn), isUse);
}

/** Id of the session that a request of our own pages names. */
export function sessionIdOf(context: Context, { origin }: SignIn): string | undefined {
  // Browsers say where a request comes from; SameSite=Strict lets pages of the same site through, which may be others'.
  const from = context.req.header("sec-fetch-site") ?? "same-origin";
  if (from !== "same-origin") return undefined;
  return readCookie(context.req.header("cookie"), "session", origin.startsWith("https:"));
}
