import { AuthenticationError } from "@photinus/core/errors";
import type { Context, Hono } from "hono";
import { TRANSACTION_S } from "../sign-in/code-flow.ts";
import { readCookie, setCookie } from "../sign-in/cookies.ts";
import type { JoinSignIn } from "../sign-in/join-sign-in.ts";
import { isRefusal, refuseFor } from "./problem.ts";
import { leave, NO_STORE, requireOwnPage } from "./sign-in-routes.ts";

/** What the routes answer from. */
export interface JoinSignInModules {
  /** Absent: pages that take part as sites sign in nowhere. */
  readonly joinSignIn?: JoinSignIn | undefined;
  /** Address that limits and records count a request by. */
  readonly addressOf: (context: Context) => string;
}

/** Path at which a page gets its token. */
export const TOKEN_PATH = "/auth/join/token";

/** A nonce of a credential: the digest in base64url. */
const NONCE = /^[A-Za-z0-9_-]{43}$/;

/** Routes of people who sign in where a page takes part as a site. */
export function addJoinSignIn(app: Hono, { joinSignIn, addressOf }: JoinSignInModules): void {
  app.get("/auth/join", (context) => context.json({ issuer: joinSignIn?.issuer ?? null }, 200, NO_STORE));
  if (joinSignIn === undefined) return;
  app.get("/auth/join/sign-in", (context) => begin(context, joinSignIn));
  app.post(TOKEN_PATH, async (context) => {
    requireOwnPage(context, joinSignIn);
    return await finish(context, joinSignIn, addressOf(context));
  });
}

async function begin(context: Context, joinSignIn: JoinSignIn): Promise<Response> {
  const nonce = context.req.query("nonce") ?? "";
  if (!NONCE.test(nonce)) {
    throw new AuthenticationError("ERR_SIGN_IN_EXPIRED", "a sign-in begins on the page that takes part");
  }
  const { location, transaction } = await joinSignIn.begin(nonce);
  return leave(location, [cookie(joinSignIn, transaction, TRANSACTION_S)]);
}

/** The page comes back with what the provider added to its address. Accepted or refused, the transaction is spent. */
async function finish(context: Context, joinSignIn: JoinSignIn, address: string): Promise<Response> {
  const isSecure = joinSignIn.origin.startsWith("https:");
  const transaction = readCookie(context.req.header("cookie"), "join-sign-in", isSecure) ?? "";
  const spent = cookie(joinSignIn, "", 0);
  try {
    const query = new URL(context.req.url).searchParams;
    const { idToken: token, nonce } = await joinSignIn.finish(query, transaction, address);
    return context.json({ token, nonce }, 200, { ...NO_STORE, "set-cookie": spent });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const refusal = refuseFor(error);
    refusal.headers.append("set-cookie", spent);
    return refusal;
  }
}

function cookie({ origin }: JoinSignIn, value: string, maxAgeS: number): string {
  return setCookie({ name: "join-sign-in", value, maxAgeS }, origin.startsWith("https:"));
}
