import { type Bytes, utf8 } from "@photinus/core/bytes";
import { AuthenticationError } from "@photinus/core/errors";
import type { CredentialRequest, CredentialSource } from "@photinus/core/session";
import type { SiteCalls } from "../site-port/index.ts";
import type { SiteHostModules } from "./modules.ts";

/** As long as the server's challenge is good for, ms. */
const PATIENCE_MS = 600_000;

/** Where the person of this page is asked to sign in, when the server wants that beside the certificate. */
export class CredentialDesk implements CredentialSource {
  readonly #modules: Pick<SiteHostModules, "clock" | "tell">;
  #asked: Asked | undefined;

  constructor(modules: Pick<SiteHostModules, "clock" | "tell">) {
    this.#modules = modules;
  }

  async credentialFor({ nonce }: CredentialRequest, signal: AbortSignal): Promise<Bytes> {
    const { clock, tell } = this.#modules;
    signal.throwIfAborted();
    const over = new AbortController();
    const answered = new Promise<Bytes>((resolve, reject) => {
      this.#asked = { nonce, resolve, reject };
      signal.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
    });
    const timer = clock.after(PATIENCE_MS, () =>
      this.#asked?.reject(refused("nobody signed in within ten minutes")),
    );
    tell({ kind: "sign-in", nonce });
    try {
      return await answered;
    } finally {
      timer.cancel();
      over.abort();
      this.#asked = undefined;
      tell({ kind: "sign-in", nonce: null });
    }
  }

  /** @throws AuthenticationError `ERR_SIGN_IN_EXPIRED` for a request that does not wait */
  answer({ nonce, token }: SiteCalls["credential"]["request"]): null {
    if (this.#asked?.nonce !== nonce) {
      throw new AuthenticationError("ERR_SIGN_IN_EXPIRED", "this sign-in is not waited for any more");
    }
    if (token !== null) this.#asked.resolve(utf8(token));
    else this.#asked.reject(missing());
    return null;
  }
}

interface Asked {
  readonly nonce: string;
  readonly resolve: (credential: Bytes) => void;
  readonly reject: (reason: unknown) => void;
}

function missing(): AuthenticationError {
  const text = "the server wants a sign-in beside the certificate, and offers none for pages";
  return new AuthenticationError("ERR_CREDENTIAL_REQUIRED", text);
}

function refused(text: string): AuthenticationError {
  return new AuthenticationError("ERR_CREDENTIAL_REFUSED", text);
}
