import { type Bytes, toHex } from "../bytes/index.ts";
import type { Identity } from "../pki/index.ts";
import type { AgreementKey, Clock, CryptoProvider } from "../platform/index.ts";
import { MAX_KEY_PACKAGE_LIFETIME_MS, signKeyPackage } from "./key-package.ts";

/** Keys of own packages that are kept; older ones are forgotten first. */
const CAPACITY = 16;

/** What a key ring works with. */
export interface KeyRingModules {
  /** Certificate and key that sign the packages. */
  readonly identity: Identity;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** The local clock. */
  readonly clock: Pick<Clock, "now">;
}

/**
 * The private keys of own key packages. They live in memory only: whoever gets the disk later reads nothing that was
 * sealed before, and a process that starts again publishes a package of its own.
 */
export class KeyRing {
  readonly #lifetimeMs: number;
  readonly #modules: KeyRingModules;
  readonly #keys = new Map<string, { readonly key: AgreementKey; readonly expiresAt: number }>();
  #lastCounter = 0;

  /** @param options `lifetimeMs` of a package; default and most seven days */
  constructor(options: { readonly lifetimeMs?: number }, modules: KeyRingModules) {
    this.#lifetimeMs = options.lifetimeMs ?? MAX_KEY_PACKAGE_LIFETIME_MS;
    this.#modules = modules;
  }

  /** Makes a fresh key. What was sealed with an earlier one still opens until that expires. @returns the OBJECT to send */
  async publish(): Promise<Bytes> {
    const { identity, crypto, clock } = this.#modules;
    const issuedAt = Math.trunc(clock.now());
    // The time counts over restarts as well; within one millisecond it is pushed on.
    this.#lastCounter = Math.max(issuedAt, this.#lastCounter + 1);
    const key = await crypto.generateAgreementKey();
    const packageId = crypto.randomBytes(16);
    const { publicKey } = key;
    const times = { counter: this.#lastCounter, issuedAt, lifetimeMs: this.#lifetimeMs };
    const object = await signKeyPackage({ publicKey, packageId, ...times }, { identity, crypto });
    this.#keep(toHex(packageId), { key, expiresAt: issuedAt + this.#lifetimeMs });
    return object;
  }

  /** The private key of an own package that has not expired. */
  find(packageId: Bytes): AgreementKey | undefined {
    this.#forgetExpired();
    return this.#keys.get(toHex(packageId))?.key;
  }

  #keep(id: string, entry: { readonly key: AgreementKey; readonly expiresAt: number }): void {
    this.#forgetExpired();
    this.#keys.set(id, entry);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size > CAPACITY && oldest.done === false) this.#keys.delete(oldest.value);
  }

  #forgetExpired(): void {
    const nowMs = this.#modules.clock.now();
    for (const [id, { expiresAt }] of this.#keys) if (expiresAt <= nowMs) this.#keys.delete(id);
  }
}
