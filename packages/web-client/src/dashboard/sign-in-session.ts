import {
  AuthenticationError,
  describeError,
  type ErrorCode,
  MessageError,
  WireError,
} from "@photinus/core/errors";
import * as v from "valibot";

/** Somebody who signed in by an identity provider. */
export interface SignedInUser {
  /** As the provider calls this person. */
  readonly name: string;
  /** Role in the project, by the server's configuration. */
  readonly role: string;
  /** Organization, by the server's configuration. */
  readonly org: string;
}

/** How people may sign in, and who has. */
export interface SignInState {
  /** Address of the identity provider; `undefined` when this server has none. */
  readonly issuer: string | undefined;
  /** Who is signed in; `undefined` when nobody is. */
  readonly user: SignedInUser | undefined;
}

/** Where a sign-in begins: a page of the server, which leads to the provider. */
export const SIGN_IN_PATH = "/auth/sign-in";

/** Codes by which the server sends somebody back: their words stand here, and nothing of an address is shown. */
const REFUSALS: readonly ErrorCode[] = [
  "ERR_SIGN_IN_REFUSED",
  "ERR_SIGN_IN_EXPIRED",
  "ERR_SIGN_IN_UNAVAILABLE",
  "ERR_BUSY",
];

const WORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_SIGN_IN_REFUSED: "this account is not let in",
  ERR_SIGN_IN_EXPIRED: "this sign-in took too long, or was begun elsewhere",
  ERR_SIGN_IN_UNAVAILABLE: "the identity provider does not answer",
  ERR_BUSY: "too many people sign in at once",
};

const text = (maximum: number) => v.pipe(v.string(), v.maxLength(maximum));
const StateSchema = v.object({
  issuer: v.nullable(text(256)),
  user: v.nullable(v.object({ name: text(128), role: text(20), org: text(63) })),
});

/** Why the server sent somebody back from the provider, by the fragment of the address; `undefined` when it did not. */
export function refusalOf(
  fragment: string,
): { readonly message: string; readonly remedy: string } | undefined {
  const given = new URLSearchParams(fragment.replace(/^#/, "")).get("refused");
  const code = REFUSALS.find((known) => known === given);
  return code === undefined ? undefined : { message: WORDS[code] ?? "", remedy: describeError(code).remedy };
}

/**
 * How people may sign in here, and who has.
 * @throws WireError `ERR_CONNECTION_REFUSED`, MessageError `ERR_MESSAGE_MALFORMED`
 */
export async function readSignIn(signal: AbortSignal): Promise<SignInState> {
  const response = await ask("/api/session", { signal });
  const parsed = v.safeParse(StateSchema, await response.json().catch(() => undefined));
  if (!parsed.success) throw new MessageError("ERR_MESSAGE_MALFORMED", v.summarize(parsed.issues));
  const { issuer, user } = parsed.output;
  return { issuer: issuer ?? undefined, user: user ?? undefined };
}

/** Ends the session at the server. @throws WireError `ERR_CONNECTION_REFUSED` when it may still be open */
export async function signOut(): Promise<void> {
  await ask("/auth/sign-out", { method: "POST" });
}

/** Tells the server that the user is there. @throws AuthenticationError `ERR_SIGN_IN_EXPIRED`, WireError */
export async function stay(): Promise<void> {
  await ask("/auth/stay", { method: "POST" });
}

async function ask(path: string, request: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...request, cache: "no-store", credentials: "same-origin" });
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw new WireError("ERR_CONNECTION_REFUSED", "the server does not answer", { cause });
  }
  if (response.status === 401)
    throw new AuthenticationError("ERR_SIGN_IN_EXPIRED", "nobody is signed in any more");
  if (response.ok) return response;
  throw new WireError("ERR_CONNECTION_REFUSED", `the server answered HTTP ${response.status}`);
}
