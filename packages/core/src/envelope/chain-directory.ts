import { type Bytes, equalBytes, SparseMap, toHex } from "../bytes/index.ts";
import { EnvelopeError, PkiError, type PkiErrorCode } from "../errors/index.ts";
import {
  ChainCache,
  type Participant,
  type RevocationSource,
  type VerifiedChain,
  verifyChain,
} from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";

/** Chains that a directory keeps. */
const CAPACITY = 1024;
/** What would end a session were it said of the peer itself. */
const REFUSED_SIGNER: ReadonlySet<string> = new Set<PkiErrorCode>(["ERR_REVOKED", "ERR_SUSPENDED"]);

/** What a directory of chains is told. */
export interface ChainDirectoryOptions {
  /** Name of the project. */
  readonly project: string;
  /** Pinned root of the project, DER. */
  readonly root: Bytes;
  /** Somebody whose chain is known already, as the peer of a session; absent: nobody. */
  readonly known?: Participant;
}

/** What a directory of chains works with. */
export interface ChainDirectoryModules {
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Validated paths, shared by all sessions of a process; one of its own by default. */
  readonly cache?: ChainCache;
  /** Signers whose certificate it names are refused; without it nobody is known to be revoked. */
  readonly revocation?: RevocationSource;
}

/** Chains of signers by the digest of their leaf: objects name their signer by it. */
export class ChainDirectory {
  readonly #options: ChainDirectoryOptions;
  readonly #modules: ChainDirectoryModules;
  readonly #chains = new SparseMap<string, readonly Bytes[]>();

  constructor(options: ChainDirectoryOptions, modules: ChainDirectoryModules) {
    this.#options = options;
    this.#modules = modules.cache === undefined ? { ...modules, cache: new ChainCache() } : modules;
  }

  /**
   * Takes a chain after verifying it; beyond 1 024 the oldest is dropped.
   * @param nowMs the local clock
   * @throws PkiError when it does not verify
   */
  async add(chain: readonly Bytes[], nowMs: number): Promise<VerifiedChain> {
    const verified = await this.#verify(chain, nowMs);
    this.#chains.set(toHex(verified.participant.leafDigest), verified.participant.chain);
    const { oldest } = this.#chains;
    if (this.#chains.size > CAPACITY && oldest !== undefined) this.#chains.delete(oldest);
    return verified;
  }

  /** True when the chain of this leaf is here. */
  has(leafDigest: Bytes): boolean {
    return this.#find(leafDigest) !== undefined;
  }

  /**
   * Who a leaf belongs to, verified for now.
   * @throws EnvelopeError `ERR_ENVELOPE_UNKNOWN_SENDER` when the chain was never sent; PkiError when it has expired
   */
  async require(leafDigest: Bytes, nowMs: number): Promise<VerifiedChain> {
    const chain = this.#find(leafDigest);
    // [W-54]
    if (chain === undefined) {
      throw new EnvelopeError("ERR_ENVELOPE_UNKNOWN_SENDER", "the chain of the signer was not sent before");
    }
    return await this.#verify(chain, nowMs);
  }

  #find(leafDigest: Bytes): readonly Bytes[] | undefined {
    const { known } = this.#options;
    if (known !== undefined && equalBytes(known.leafDigest, leafDigest)) return known.chain;
    return this.#chains.get(toHex(leafDigest));
  }

  /** A signer who was revoked or suspended is no fault of the peer that brings what he signed: it is refused, the session goes on. */
  async #verify(chain: readonly Bytes[], nowMs: number): Promise<VerifiedChain> {
    const { project, root } = this.#options;
    try {
      return await verifyChain(chain, { project, root, usage: "signer", nowMs }, this.#modules);
    } catch (error) {
      if (!(error instanceof PkiError) || !REFUSED_SIGNER.has(error.code)) throw error;
      throw new PkiError("ERR_SIGNER_REVOKED", error.message, { cause: error });
    }
  }
}
