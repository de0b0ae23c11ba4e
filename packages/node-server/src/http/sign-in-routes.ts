import { AuthenticationError } from "@photinus/core/errors";
import type { Context, Hono } from "hono";
import { TRANSACTION_S } from "../sign-in/code-flow.ts";
import { type PageCookie, readCookie, setCookie } from "../sign-in/cookies.ts";
import { CALLBACK_PATH, type SignIn } from "../sign-in/sign-in.ts";
import type { Federation } from "./federation.ts";
import { isRefusal } from "./problem.ts";
import { sessionIdOf, sessionOf } from "./reader.ts";

/** What the routes of people who sign in answer from. */
export interface SignInRouteModules {
  /** Absent: nobody signs in here. */
  readonly signIn?: SignIn | undefined;
  readonly federation: Federation;
  /** Address that limits and records count a request by. */
  readonly addressOf: (context: Context) => string;
}

/** Paths at which something may be posted; everything else is read-only. */
export const POSTED: RegExp = /^\/(auth\/(stay|sign-out)|api\/jobs\/[^/]+\/abort|api\/sites\/[^/]+\/[^/]+)$/;

/** Of what concerns one person. */
export const NO_STORE = { "cache-control": "no-store" };

/** Routes of people who sign in on the dashboard by an identity provider. */
export function addSignIn(app: Hono, { signIn, ...modules }: SignInRouteModules): void {
  app.get("/api/session", (context) => context.json(stateOf(context, signIn), 200, NO_STORE));
  if (signIn === undefined) return;
  app.get("/auth/sign-in", async () => {
    try {
      const { location, transaction } = await signIn.begin();
      return leave(location, [
        cookie(signIn, { name: "sign-in", value: transaction, maxAgeS: TRANSACTION_S }),
      ]);
    } catch (error) {
      return backWith(error, signIn);
    }
  });
  app.get(CALLBACK_PATH, (context) => finish(context, signIn, modules.addressOf(context)));
  app.post("/auth/stay", (context) => {
    requireOwnPage(context, signIn);
    sessionOf(context, signIn, true);
    return context.body(null, 204, NO_STORE);
  });
  app.post("/auth/sign-out", async (context) => {
    requireOwnPage(context, signIn);
    const id = sessionIdOf(context, signIn);
    if (id !== undefined) await signIn.end(id);
    return new Response(null, {
      status: 204,
      headers: { ...NO_STORE, "set-cookie": cookie(signIn, { name: "session", value: "", maxAgeS: 0 }) },
    });
  });
  // What the server alone decides.
  app.post("/api/jobs/:id/abort", async (context) => {
    requireOwnPage(context, signIn);
    const { user } = sessionOf(context, signIn, true);
    await modules.federation.abort(context.req.param("id"), user);
    return context.body(null, 204, NO_STORE);
  });
  // What a site decides, by the key of a certificate.
  app.post("/api/sites/:name/:command", (context) => {
    requireOwnPage(context, signIn);
    const { user } = sessionOf(context, signIn, true);
    throw new AuthenticationError(
      "ERR_KIT_REQUIRED",
      `${user.name} signed in at the server; a site does not obey that`,
    );
  });
}

/** What the dashboard shows of it. */
function stateOf(context: Context, signIn: SignIn | undefined): object {
  if (signIn === undefined) return { issuer: null, user: null };
  try {
    const { user, endsAtMs } = sessionOf(context, signIn, false);
    const { name, role, org } = user;
    return { issuer: signIn.issuer, user: { name, role, org, endsAtMs } };
  } catch {
    return { issuer: signIn.issuer, user: null }; // nobody is signed in, which is no fault of this request
  }
}

async function finish(context: Context, signIn: SignIn, address: string): Promise<Response> {
  const isSecure = signIn.origin.startsWith("https:");
  const transaction = readCookie(context.req.header("cookie"), "sign-in", isSecure) ?? "";
  const spent = cookie(signIn, { name: "sign-in", value: "", maxAgeS: 0 });
  try {
    const query = new URL(context.req.url).searchParams;
    const id = await signIn.finish(query, transaction, address);
    return leave(`${signIn.origin}/`, [spent, cookie(signIn, { name: "session", value: id })]);
  } catch (error) {
    return backWith(error, signIn, [spent]);
  }
}

/** A refusal goes to the dashboard by its code, which has its words there: nothing of a request comes back in a page. */
function backWith(error: unknown, { origin }: SignIn, cookies: readonly string[] = []): Response {
  if (!isRefusal(error)) throw error;
  return leave(`${origin}/#refused=${error.code}`, cookies);
}

/** Sends the browser elsewhere. */
export function leave(location: string, cookies: readonly string[]): Response {
  const headers = new Headers({ location, ...NO_STORE });
  for (const each of cookies) headers.append("set-cookie", each);
  return new Response(null, { status: 302, headers });
}

function cookie({ origin }: SignIn, of: PageCookie): string {
  return setCookie(of, origin.startsWith("https:"));
}

/** @throws AuthenticationError `ERR_ORIGIN_REFUSED` unless a page of this server asks: browsers say so with each POST */
export function requireOwnPage(context: Context, { origin }: { readonly origin: string }): void {
  if (context.req.header("origin") === origin) return;
  throw new AuthenticationError("ERR_ORIGIN_REFUSED", "the request is not from a page of this server");
}
