import type { Bytes } from "../bytes/index.ts";
import {
  type ChainDirectory,
  memoryReplayStore,
  type ObjectReplayStore,
  ObjectVerifier,
  type VerifiedObject,
} from "../envelope/index.ts";
import { SealingError } from "../errors/index.ts";
import type { Role } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { KEY_PACKAGE_TYPE, type KeyPackage, keyPackageRule, readKeyPackage } from "./key-package.ts";

/** Participants whose package is kept. */
const CAPACITY = 4096;

/** What a book of key packages is told. */
export interface KeyPackageBookOptions {
  /** Name of the project. */
  readonly project: string;
  /** Own name. */
  readonly self: string;
  /** Roles whose packages are taken. Default: sites. */
  readonly roles?: readonly Role[];
}

/** What a book of key packages works with. */
export interface KeyPackageBookModules {
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** The local clock. */
  readonly clock: Clock;
  /** Chains of owners by digest of the leaf. */
  readonly chains: ChainDirectory;
  /** Counters of packages that were seen. Default: in memory, as long as the book. */
  readonly replay?: ObjectReplayStore;
}

/** The newest key package of each participant, each verified to its owner's certificate. */
export class KeyPackageBook {
  readonly #options: KeyPackageBookOptions;
  readonly #modules: KeyPackageBookModules;
  readonly #verifier: ObjectVerifier;
  readonly #packages = new Map<string, KeyPackage>();

  constructor(options: KeyPackageBookOptions, modules: KeyPackageBookModules) {
    this.#options = options;
    this.#modules = modules;
    const { project, self, roles } = options;
    this.#verifier = new ObjectVerifier(
      { project, self, rules: new Map([[KEY_PACKAGE_TYPE, keyPackageRule(roles)]]) },
      { ...modules, replay: modules.replay ?? memoryReplayStore({ clock: modules.clock }) },
    );
  }

  /**
   * Takes a package as it came through the server.
   * @throws EnvelopeError, MessageError or PkiError as `ObjectVerifier.open`; SealingError `ERR_KEY_PACKAGE_REFUSED`
   */
  async accept(object: Bytes): Promise<void> {
    const verified = await this.#verifier.open(object, this.#modules.clock.now());
    if (verified === undefined) return;
    await this.add(verified);
    await this.#verifier.commit(verified);
  }

  /**
   * Takes a package that a session has verified by `keyPackageRule`.
   * @throws SealingError `ERR_KEY_PACKAGE_REFUSED`
   */
  async add(object: VerifiedObject): Promise<void> {
    const { roles } = this.#options;
    if (!keyPackageRule(roles).signers.includes(object.signer.role)) {
      throw new SealingError(
        "ERR_KEY_PACKAGE_REFUSED",
        `nothing is sealed for the role ${object.signer.role}`,
      );
    }
    const added = await readKeyPackage(object, this.#modules.crypto);
    const { name } = added.owner;
    const held = this.#packages.get(name);
    // Counters go by certificate; among the devices of one participant the later package counts.
    if (held !== undefined && held.issuedAt > added.issuedAt) return;
    this.#packages.delete(name);
    this.#packages.set(name, added);
    const oldest = this.#packages.keys().next();
    if (this.#packages.size > CAPACITY && oldest.done === false) this.#packages.delete(oldest.value);
  }

  /**
   * The package to seal with, its owner's chain verified for now.
   * @throws SealingError `ERR_KEY_PACKAGE_MISSING`; PkiError when the owner's certificate is no longer valid
   */
  async require(name: string): Promise<KeyPackage> {
    const nowMs = this.#modules.clock.now();
    const held = this.#packages.get(name);
    // [W-131]
    if (held === undefined || held.expiresAt <= nowMs) {
      throw new SealingError("ERR_KEY_PACKAGE_MISSING", `there is no valid key package of ${name}`);
    }
    await this.#modules.chains.require(held.owner.leafDigest, nowMs);
    return held;
  }
}
