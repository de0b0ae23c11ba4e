import {
  type AuditChain,
  HeadWitness,
  hasAcceptedLoss,
  headDetails,
  notedLoss,
  openAuditEvidence,
  recordedHeadMemory,
  requireHeadPace,
  sealAuditHead,
} from "../audit/index.ts";
import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { auditBehind } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import { type Clock, type CryptoProvider, type Logger, sleep } from "../platform/index.ts";
import { type MessageRoute, on, type Session } from "../session/index.ts";

/** How often the two sides tell each other how far their chains are, ms (security.md, audit). */
const EXCHANGE_MS = 300_000;
/** How often a site tells its head to which nothing was added but heads of the server, ms. */
const QUIET_EXCHANGE_MS = 3_600_000;

/** What {@link AuditExchange} works with. */
export interface AuditExchangeModules {
  /** The own chain. Absent: the site keeps none and tells nothing. */
  readonly audit?: AuditChain;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
}

/**
 * Server and site witness each other's audit chain: neither can cut off or replace what it has written without the other one
 * holding its signature against it. A site whose own records are behind what it has signed once was set back to an earlier
 * state, and with them what it has spent: it takes no jobs.
 */
export class AuditExchange {
  readonly #modules: AuditExchangeModules;
  readonly #witness: HeadWitness | undefined;
  #identity: Identity | undefined;
  #fault: string | undefined;
  #hasLooked = false;
  /** False once the server has shown its evidence in this session: each look reads the whole chain. */
  #mayBeShown = true;
  /** When the server told its head last in this session. */
  #heardMs: number | undefined;
  /** What was told last, and how many heads of the server were recorded since. */
  #told = { count: 0, atMs: Number.NEGATIVE_INFINITY, headsSince: 0 };

  constructor(modules: AuditExchangeModules) {
    const { audit } = modules;
    this.#modules = modules;
    this.#witness = audit && new HeadWitness(recordedHeadMemory(audit.store), audit);
  }

  /** Why the records of this site are not to be relied on; `undefined` when they are. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** The server shows what this site has signed. */
  get route(): MessageRoute {
    return on(auditBehind, ({ evidence }) => this.behind(evidence));
  }

  /** A session was opened by this identity, which signs from here on. */
  opened(identity: Identity): void {
    this.#identity = identity;
    this.#mayBeShown = true;
    this.#heardMs = undefined;
  }

  /** Tells the server where the own chain is. To be awaited before the site announces itself: jobs come after that. */
  async begin(session: Session): Promise<void> {
    const { audit } = this.#modules;
    const identity = this.#identity;
    if (audit === undefined || identity === undefined) return;
    // An empty chain cannot be told from one that was deleted: there is none.
    const isEmpty = (await audit.store.head()) === undefined;
    const { name } = identity.participant;
    if (isEmpty) await audit.record({ action: "chain", object: name, outcome: "done" });
    if (!this.#hasLooked) {
      const noted = await notedLoss(audit.store, name);
      if (noted !== undefined) this.#setBack(Number(noted["count"]));
      this.#hasLooked = true;
    }
    await this.#tell(session, { audit, identity });
    this.#repeat(session, { audit, identity }).catch((error: unknown) => {
      if (!session.signal.aborted) this.#modules.logger.error("the audit head could not be told", error);
    });
  }

  /** The server tells where its chain is; the signature has been verified. @throws WireError, MessageError, StorageError */
  async take(object: VerifiedObject): Promise<void> {
    const nowMs = this.#modules.clock.now();
    requireHeadPace(this.#heardMs, nowMs);
    this.#heardMs = nowMs;
    this.#told.headsSince += 1;
    const earlier = await this.#witness?.take(object, "server");
    if (earlier === undefined) return;
    const fields = { code: "ERR_AUDIT_BEHIND", witnessed: earlier.count };
    this.#modules.logger.error("the audit chain of the server was set back", undefined, fields);
  }

  /**
   * The server shows what this site is said to have signed; only the site's own signature counts.
   * @throws EnvelopeError `ERR_ENVELOPE_SIGNATURE_INVALID`; StorageError
   */
  async behind(object: Bytes): Promise<void> {
    const { audit, crypto } = this.#modules;
    if (audit === undefined || this.#identity === undefined || !this.#mayBeShown) return;
    const { signingKey, participant } = this.#identity;
    const key = await crypto.importVerifyingKey(signingKey.publicKey, signingKey.algorithm);
    // [W-223]
    const evidence = await openAuditEvidence(object, key, crypto);
    this.#mayBeShown = false;
    for await (const record of audit.store.read(evidence.count)) {
      if (equalBytes(record.hash, evidence.hash)) return; // the chain holds what was signed: the server is wrong
      break;
    }
    if (await hasAcceptedLoss(audit.store, evidence.issuedAtMs)) return;
    this.#setBack(evidence.count);
    await audit.record({
      action: "witness",
      object: participant.name,
      outcome: "refused",
      reason: "ERR_AUDIT_BEHIND",
      details: {
        ...headDetails({ ...evidence, object }),
        key: toHex(await crypto.sha256(signingKey.publicKey)),
      },
    });
  }

  #setBack(count: number): void {
    this.#fault = `the records of this site are not those up to record ${count} that it has signed`;
    this.#modules.logger.error("the state of this site was set back: no jobs are taken", undefined, {
      code: "ERR_AUDIT_BEHIND",
    });
  }

  async #repeat(session: Session, own: OwnChain): Promise<void> {
    for (;;) {
      await sleep(this.#modules.clock, EXCHANGE_MS, session.signal);
      if (await this.#hasNews(own.audit)) await this.#tell(session, own);
    }
  }

  /** Each exchange adds a record on both sides; if those were news, idle sites would fill disks with them. */
  async #hasNews({ store }: AuditChain): Promise<boolean> {
    const { count, atMs, headsSince } = this.#told;
    const head = await store.head();
    const isQuiet = (head?.sequence ?? 0) <= count + headsSince;
    return !isQuiet || this.#modules.clock.now() >= atMs + QUIET_EXCHANGE_MS;
  }

  async #tell(session: Session, { audit, identity }: OwnChain): Promise<void> {
    const head = await audit.store.head();
    if (head === undefined) return;
    const { clock, crypto } = this.#modules;
    this.#told = { count: head.sequence, atMs: clock.now(), headsSince: 0 };
    const object = await sealAuditHead(
      { count: head.sequence, hash: head.hash },
      { identity, crypto, clock },
    );
    await session.sendObject(object, identity.participant.chain);
  }
}

interface OwnChain {
  readonly audit: AuditChain;
  readonly identity: Identity;
}
