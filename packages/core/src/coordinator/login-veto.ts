import { toHex } from "../bytes/index.ts";
import { type ErrorCode, PluginError } from "../errors/index.ts";
import { type PluginHost, participantFacts } from "../plugin/index.ts";
import type { Session } from "../session/index.ts";
import { ANOTHER_SESSION } from "./session-fences.ts";

/** Why a session is not let in. */
export interface LoginRefusal {
  readonly code: ErrorCode;
  /** For its peer. */
  readonly detail: string;
}

/** Asks plug-ins about sessions. While one is asked about, a newer one of the same certificate takes its place. */
export class LoginVeto {
  readonly #plugins: PluginHost;
  /** The newest of each certificate, by digest of the leaf. */
  readonly #asked = new Map<string, Session>();

  constructor(plugins: PluginHost) {
    this.#plugins = plugins;
  }

  /** True when somebody has to be asked. */
  get isNeeded(): boolean {
    return this.#plugins.asks("login");
  }

  /** Never rejects. */
  async refusalOf(session: Session): Promise<LoginRefusal | undefined> {
    const { peer, signal } = session;
    const key = toHex(peer.leafDigest);
    this.#asked.set(key, session);
    try {
      const options = { signal, correlation: toHex(session.id) };
      await this.#plugins.require("login", { peer: participantFacts(peer) }, options);
      if (this.#asked.get(key) === session) return undefined;
      return { code: "ERR_SUPERSEDED", detail: ANOTHER_SESSION };
    } catch (error) {
      const detail = error instanceof PluginError ? error.message : "the plug-ins could not be asked";
      return { code: "ERR_PLUGIN_REFUSED", detail };
    } finally {
      if (this.#asked.get(key) === session) this.#asked.delete(key);
    }
  }
}
