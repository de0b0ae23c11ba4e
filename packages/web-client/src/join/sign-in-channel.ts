import { MessageError, WireError } from "@photinus/core/errors";
import * as v from "valibot";
import { nonceSchema, tokenSchema } from "../site-port/index.ts";

/** Where a tab that comes back from the provider tells the page that waits; of this origin only. */
const CHANNEL = "photinus.sign-in";

/** Where the provider is asked about a page that takes part. */
const PATH = "/auth/join";

/** A token, and the request that it was made for. */
export interface SignedIn {
  readonly nonce: string;
  readonly token: string;
}

const SignedInSchema: v.GenericSchema<unknown, SignedIn> = v.strictObject({
  nonce: nonceSchema,
  token: tokenSchema,
});
const ProviderSchema = v.strictObject({ issuer: v.nullable(v.pipe(v.string(), v.maxLength(256))) });
const ProblemSchema = v.object({ code: v.pipe(v.string(), v.maxLength(64)) });

/** Address at which signing in begins. */
export const signInAddress = (nonce: string): string => `${PATH}/sign-in?nonce=${nonce}`;

/**
 * Where people of this server's pages sign in; `undefined` when they cannot.
 * @throws WireError, MessageError when the server does not say
 */
export async function findProvider(signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(PATH, { cache: "no-store", signal });
  if (!response.ok)
    throw new WireError("ERR_CONNECTION_REFUSED", `the server answered HTTP ${response.status}`);
  return parse(ProviderSchema, await response.json().catch(() => undefined)).issuer ?? undefined;
}

/**
 * The token for what the provider added to the address of this tab.
 * @throws MessageError, or SignInRefusal with the server's code
 */
export async function fetchToken(query: string): Promise<SignedIn> {
  const response = await fetch(`${PATH}/token${query}`, { method: "POST", cache: "no-store" });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return parse(SignedInSchema, body);
  const problem = v.safeParse(ProblemSchema, body);
  throw new SignInRefusal(problem.success ? problem.output.code : "ERR_CONNECTION_REFUSED");
}

/** The server gave no token. */
export class SignInRefusal extends Error {
  /** Its code. */
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.name = "SignInRefusal";
    this.code = code;
  }
}

/** Tells the page that waits for it. */
export function tellSignedIn(signedIn: SignedIn): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(signedIn);
  channel.close();
}

/** Calls `listener` for each token that a tab brings, until the signal. */
export function hearSignedIn(listener: (signedIn: SignedIn) => void, signal: AbortSignal): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const parsed = v.safeParse(SignedInSchema, data);
    if (parsed.success) listener(parsed.output);
  });
  signal.addEventListener("abort", () => channel.close(), { once: true });
}

function parse<Output>(schema: v.GenericSchema<unknown, Output>, value: unknown): Output {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new MessageError("ERR_MESSAGE_MALFORMED", "the server's answer about signing in is malformed");
}
