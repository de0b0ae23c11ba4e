import type { JoinPageProvider } from "../authentication/settings.ts";
import { type BegunSignIn, CodeFlow, type FinishedSignIn } from "./code-flow.ts";
import type { SignInModules } from "./sign-in.ts";
import { SignInGate } from "./sign-in-gate.ts";

/** Page of ours at which the provider sends the browser back. */
export const JOIN_CALLBACK_PATH = "/join/signed-in";

/**
 * People who sign in where a page takes part as a site. The page gets the token, for the key and the challenge that its nonce
 * was made of; whether it lets a site in is decided at the site's login, here only that the provider made it for that nonce.
 */
export class JoinSignIn {
  /** Origin under which people open the page. */
  readonly origin: string;
  /** Where the provider is, for people. */
  readonly issuer: string;
  readonly #flow: CodeFlow;
  readonly #gate: SignInGate;

  constructor(provider: JoinPageProvider, modules: Omit<SignInModules, "audit">) {
    this.origin = provider.origin;
    this.issuer = provider.issuer;
    this.#gate = new SignInGate(modules.refusals);
    const { scopes = [] } = provider;
    this.#flow = new CodeFlow({ ...provider, scopes }, { ...modules, callbackPath: JOIN_CALLBACK_PATH });
  }

  /** @param nonce of the credential that the site was asked for @throws AuthenticationError `ERR_SIGN_IN_UNAVAILABLE` */
  begin(nonce: string): Promise<BegunSignIn> {
    return this.#flow.begin(nonce);
  }

  /**
   * @param address of whoever comes back, for the record of a refusal
   * @throws AuthenticationError `ERR_SIGN_IN_*`, WireError `ERR_BUSY`
   */
  finish(query: URLSearchParams, transaction: string, address: string): Promise<FinishedSignIn> {
    return this.#gate.pass(address, () => this.#flow.finish(query, transaction));
  }
}
