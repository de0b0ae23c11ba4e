import * as v from "valibot";
import {
  type AuditLog,
  type HeadMemory,
  HeadWitness,
  requireHeadPace,
  sealAuditHead,
} from "../audit/index.ts";
import { type Bytes, equalBytes, fromBase64Url, fromHex, toBase64Url, toHex } from "../bytes/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { AuthorizationError } from "../errors/index.ts";
import { decodeRecord, encodeRecord } from "../job/index.ts";
import { auditBehind, MAX_AUDIT_HEAD_BYTES } from "../message/index.ts";
import { type Identity, type Participant, parseCertificate } from "../pki/index.ts";
import type { AuditStore, Clock, CryptoProvider, Logger, MetadataStore } from "../platform/index.ts";
import type { Session } from "../session/index.ts";

/** A signed head of this server serves every site that asks within this time, ms. */
const SHARED_MS = 60_000;
const PREFIX = "audit-witness/";

const StoredHeadSchema = v.strictObject({
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  issuedAtMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  object: v.pipe(v.string(), v.regex(/^[\w-]+$/), v.maxLength(Math.ceil((MAX_AUDIT_HEAD_BYTES * 4) / 3))),
});

/** What {@link AuditExchange} works with. */
export interface AuditExchangeModules {
  /** Where the heads of sites are witnessed. */
  readonly audit: AuditLog;
  /** The own chain. */
  readonly chain: Pick<AuditStore, "head">;
  /** Keeps the last head of each site, for all processes. */
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  /** Signs the own heads. */
  readonly ownIdentity: () => Identity;
}

/** The server's side of the mutual witness of audit chains: it keeps what each site signs, and answers by its own head. */
export class AuditExchange {
  readonly #modules: AuditExchangeModules;
  readonly #memory: HeadMemory;
  readonly #witness: HeadWitness;
  readonly #heardMs = new WeakMap<Session, number>();
  #own: { readonly object: Promise<Bytes | undefined>; readonly atMs: number } | undefined;

  constructor(modules: AuditExchangeModules) {
    this.#modules = modules;
    this.#memory = metadataHeadMemory(modules.metadata);
    this.#witness = new HeadWitness(this.#memory, modules.audit);
  }

  /**
   * A site tells how far its chain is. It is shown what it has told before: when that was more, and once in each session,
   * since a chain that was set back may have grown past it, and only the site sees what its records hold.
   * @throws AuthorizationError `ERR_FORBIDDEN` for the head of another one; WireError `ERR_RATE_LIMITED`; MessageError
   */
  async take(object: VerifiedObject, session: Session): Promise<void> {
    // [W-220]
    if (session.peer.role !== "site" || !equalBytes(object.signer.leafDigest, session.peer.leafDigest))
      throw new AuthorizationError("ERR_FORBIDDEN", "a site tells of its own audit chain only");
    const nowMs = this.#modules.clock.now();
    const heardMs = this.#heardMs.get(session);
    requireHeadPace(heardMs, nowMs);
    this.#heardMs.set(session, nowMs);
    const chain = await chainName(object.signer, this.#modules.crypto);
    const before = heardMs === undefined ? await this.#memory.last(chain) : undefined;
    const behind = await this.#witness.take(object, chain);
    if (behind !== undefined) {
      this.#modules.logger.warn("the audit chain of a site is behind what it has signed", {
        site: session.peer.name,
        witnessed: behind.count,
      });
    }
    const shown = behind ?? before;
    if (shown !== undefined) await session.send(auditBehind, { evidence: shown.object });
    await this.#answer(session);
  }

  async #answer(session: Session): Promise<void> {
    const nowMs = this.#modules.clock.now();
    if (this.#own === undefined || nowMs >= this.#own.atMs + SHARED_MS) {
      this.#own = { object: this.#seal(), atMs: nowMs };
    }
    const object = await this.#own.object;
    if (object !== undefined) await session.sendObject(object, this.#modules.ownIdentity().participant.chain);
  }

  async #seal(): Promise<Bytes | undefined> {
    const { chain, crypto, clock, ownIdentity } = this.#modules;
    const head = await chain.head();
    if (head === undefined) return undefined;
    const identity = ownIdentity();
    return await sealAuditHead({ count: head.sequence, hash: head.hash }, { identity, crypto, clock });
  }
}

/** A participant has a chain for each of its devices; the key of one outlasts the renewal of its certificate. */
async function chainName({ chain }: Participant, crypto: CryptoProvider): Promise<string> {
  const [leaf] = chain;
  if (leaf === undefined) throw new TypeError("a verified participant has a certificate");
  const { publicKey } = await parseCertificate(leaf, { crypto });
  return toHex(await crypto.sha256(publicKey.spki));
}

function metadataHeadMemory(metadata: MetadataStore): HeadMemory {
  return {
    async last(chain) {
      const key = `${PREFIX}${chain}`;
      const entry = await metadata.get(key);
      if (entry === undefined) return undefined;
      const { hash, object, ...stored } = decodeRecord(StoredHeadSchema, entry.value, key);
      return { ...stored, hash: fromHex(hash), object: fromBase64Url(object) };
    },
    async keep(chain, { hash, object, ...head }) {
      const record = { ...head, hash: toHex(hash), object: toBase64Url(object) };
      await metadata.put(`${PREFIX}${chain}`, encodeRecord(record));
    },
  };
}
