import type { Bytes } from "../bytes/index.ts";
import { type Renewed, renewalRequest, renewed } from "../message/index.ts";
import { type Identity, loadIdentity, parseCertificate } from "../pki/index.ts";
import { type Clock, type Connector, type CryptoProvider, type Logger, sleep } from "../platform/index.ts";
import { type MessageRoute, on, renewByKey, type Session } from "../session/index.ts";
import type { SiteOptions } from "./options.ts";

/** A certificate is renewed once this part of its life is over (protocol, section 8). */
const RENEWAL_PART = 2 / 3;
/** A renewal that was not answered is asked for again after so long. */
const AGAIN_MS = 3_600_000;

/** What {@link OwnCertificate} works with. */
export interface OwnCertificateModules {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly connector: Connector;
  /** Keeps the next certificates, leaf first, before they are used. */
  readonly keepCertificate?: ((chain: readonly Bytes[]) => Promise<void>) | undefined;
}

/**
 * The certificate of a site and, where the enrolment CA issued it for a few days, the next one: asked for in a session
 * when two thirds of its life are over, or by its key alone when the site was away until it had expired.
 */
export class OwnCertificate {
  readonly #options: Pick<SiteOptions, "project" | "root" | "serverName">;
  readonly #modules: OwnCertificateModules;
  #identity: Identity;

  constructor(options: SiteOptions, modules: OwnCertificateModules) {
    this.#options = options;
    this.#modules = modules;
    this.#identity = options.identity;
  }

  /** Where the answer of a session goes. */
  get route(): MessageRoute {
    return on(renewed, (body) => this.#take(body));
  }

  /**
   * The identity to connect with; one that has expired meanwhile is renewed first, over a connection of its own.
   * @throws PkiError `ERR_REVOKED`, `ERR_CERTIFICATE_EXPIRED` when it did too long ago; WireError
   */
  async usable(signal: AbortSignal): Promise<Identity> {
    const { connector, clock, crypto } = this.#modules;
    const { notAfterMs } = await this.#times();
    if (!this.#isEnrolled || clock.now() <= notAfterMs) return this.#identity;
    const { participant, signingKey } = this.#identity;
    const request = { ...this.#options, signingKey, name: participant.name };
    const { chain } = await renewByKey(await connector.connect(signal), request, { clock, crypto });
    await this.#take({ chain });
    return this.#identity;
  }

  /** Asks for the next certificate in this session when it is time. Resolves when the session has ended. */
  async attend(session: Session): Promise<void> {
    const { clock } = this.#modules;
    while (this.#isEnrolled && !session.signal.aborted) {
      const { notBeforeMs, notAfterMs } = await this.#times();
      const dueMs = notBeforeMs + (notAfterMs - notBeforeMs) * RENEWAL_PART;
      const isDue = clock.now() >= dueMs;
      if (isDue) await session.send(renewalRequest, { leaf: session.self.leafDigest });
      await sleep(clock, isDue ? AGAIN_MS : dueMs - clock.now(), session.signal);
    }
  }

  get #isEnrolled(): boolean {
    return this.#identity.participant.chain.length > 1;
  }

  async #times(): Promise<{ readonly notBeforeMs: number; readonly notAfterMs: number }> {
    const [leaf = new Uint8Array(0)] = this.#identity.participant.chain;
    return await parseCertificate(leaf, this.#modules);
  }

  /** The next certificate is for the same key and name, whatever the server says. */
  async #take({ chain }: Renewed): Promise<void> {
    const { crypto, clock, logger, keepCertificate } = this.#modules;
    const { root, project } = this.#options;
    const { signingKey, participant } = this.#identity;
    const whose = { root, project, name: participant.name, roles: ["site"] } as const;
    const identity = await loadIdentity({ chain, signingKey }, { ...whose, nowMs: clock.now() }, { crypto });
    await keepCertificate?.(chain);
    this.#identity = identity;
    logger.info("the certificate was renewed", { name: participant.name });
  }
}
