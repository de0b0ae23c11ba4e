import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import { commandDone } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider, Logger } from "../platform/index.ts";
import { sealInvite } from "../provision/index.ts";
import { type MessageRoute, on, type Refusal, Requests, type Session } from "../session/index.ts";

/** A further device is at hand: its link is good for so long, ms. The server grants no more. */
const DEVICE_INVITE_MS = 3_600_000;

/** What {@link OwnDevices} works with. */
export interface OwnDevicesModules {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
}

/** Invites a site's further devices, each in a session and by the certificate that opened it. */
export class OwnDevices {
  readonly #root: Bytes;
  readonly #modules: OwnDevicesModules;
  #opened: { readonly session: Session; readonly identity: Identity } | undefined;
  /** Of the present session, once something was ordered in it. */
  #requests: Requests | undefined;

  /** @param root of the project, DER */
  constructor(root: Bytes, modules: OwnDevicesModules) {
    this.#root = root;
    this.#modules = modules;
  }

  /** A session was opened by this identity. */
  opened(session: Session, identity: Identity): void {
    this.#opened = { session, identity };
    this.#requests = undefined;
  }

  /** Where the server's answer goes. */
  get route(): MessageRoute {
    return on(commandDone, (body, message) => this.#requests?.reply(body, message));
  }

  /** The server refused a message, an order perhaps. */
  refused(refusal: Refusal): void {
    const { code, detail } = refusal;
    this.#modules.logger.warn("the server refused a message", { code, detail });
    this.#requests?.refused(refusal);
  }

  /**
   * Invites one further device of this site.
   * @returns the fragment of the join link, without `#`: a secret
   * @throws WireError while there is no session or when it ends first; RequestError with the server's code
   */
  async invite(): Promise<string> {
    const { clock, crypto } = this.#modules;
    const opened = this.#opened;
    if (opened === undefined || opened.session.signal.aborted) {
      throw new WireError("ERR_CONNECTION_LOST", "the site is not connected");
    }
    const { session, identity } = opened;
    if (this.#requests === undefined) {
      this.#requests = new Requests(crypto);
      this.#requests.use(session);
    }
    const { name, org, chain } = identity.participant;
    const terms = { org, name, expiresAtMs: Math.trunc(clock.now()) + DEVICE_INVITE_MS };
    const modules = { ...this.#modules, identity, root: this.#root, server: session.peer };
    const { object, fragment } = await sealInvite(terms, modules);
    await this.#requests.order(object, chain);
    return fragment;
  }
}
