import { type Bytes, equalBytes, SparseSet, toHex } from "../bytes/index.ts";
import { identifyObject } from "../envelope/index.ts";
import { signerChain } from "./control-messages.ts";
import type { SessionParts } from "./session-parts.ts";

/** What objects are sent with. */
type ObjectParts = Pick<SessionParts, "established" | "outbox" | "session">;

/** Sends signed objects, and before the first of a signer the chain that proves who that is. */
export class ObjectSender {
  readonly #parts: ObjectParts;
  readonly #sentChains = new SparseSet<string>();

  constructor(parts: ObjectParts) {
    this.#parts = parts;
  }

  /** Resolves when the object was handed to the connection. */
  async send(object: Bytes, chain: readonly Bytes[]): Promise<void> {
    const { signer } = identifyObject(object);
    const { established, outbox, session } = this.#parts;
    const { identity, peer } = established;
    const isKnown = [identity.participant, peer].some(({ leafDigest }) => equalBytes(leafDigest, signer));
    const id = toHex(signer);
    if (!isKnown && !this.#sentChains.has(id)) {
      this.#sentChains.add(id);
      await session.send(signerChain, { chain });
    }
    await outbox.post(() => object);
  }
}
