import { type Bytes, equalBytes, SparseSet, toHex } from "../bytes/index.ts";
import { identifyObject } from "../envelope/index.ts";
import type { Established } from "./established.ts";
import type { Outbox } from "./outbox.ts";

/** What objects are sent with. */
export interface ObjectSenderModules {
  readonly outbox: Outbox;
  /** Sends the chain of a signer whom the peer does not know. */
  readonly sendChain: (chain: readonly Bytes[]) => Promise<unknown>;
}

/** Sends signed objects, and before the first of a signer the chain that proves who that is. */
export class ObjectSender {
  readonly #established: Established;
  readonly #modules: ObjectSenderModules;
  readonly #sentChains = new SparseSet<string>();

  constructor(established: Established, modules: ObjectSenderModules) {
    this.#established = established;
    this.#modules = modules;
  }

  /** Resolves when the object was handed to the connection. */
  async send(object: Bytes, chain: readonly Bytes[]): Promise<void> {
    const { signer } = identifyObject(object);
    const { identity, peer } = this.#established;
    const isKnown = [identity.participant, peer].some(({ leafDigest }) => equalBytes(leafDigest, signer));
    const id = toHex(signer);
    if (!isKnown && !this.#sentChains.has(id)) {
      this.#sentChains.add(id);
      await this.#modules.sendChain(chain);
    }
    await this.#modules.outbox.post(() => object);
  }
}
