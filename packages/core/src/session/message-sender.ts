import { type Bytes, unpackBytes } from "../bytes/index.ts";
import { sealSigned, writeMessage } from "../envelope/index.ts";
import { EnvelopeError, WireError } from "../errors/index.ts";
import { type SentMessage, SentMessages } from "./sent-messages.ts";
import type { SessionParts } from "./session-parts.ts";

/** What messages are sent with. */
type SenderParts = Pick<SessionParts, "established" | "modules" | "outbox" | "checkpoints">;

/** Writes messages when their turn comes to leave, so that what is signed is signed then. */
export class MessageSender {
  readonly #parts: SenderParts;
  /** Made with the first signed message: a server sends hardly any to most of its sites. */
  #sent: SentMessages | undefined;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** MESSAGE: authenticated by the session. Resolves when it was handed to the connection. */
  send(message: SentMessage): Promise<void> {
    const { outbox, checkpoints } = this.#parts;
    return outbox.post(async () => {
      const { body, ...header } = message;
      const frame = writeMessage({ ...header, tokenRef: this.#tokenRef() }, body);
      await checkpoints.sends(frame, message.type);
      return frame;
    });
  }

  /** SIGNED. Resolves when it was handed to the connection. */
  sendSigned(message: SentMessage): Promise<void> {
    const { outbox, modules } = this.#parts;
    return outbox.post(() => {
      this.#sent ??= new SentMessages();
      this.#sent.add(message, modules.clock.now());
      return this.#sign(message);
    });
  }

  /**
   * The peer found a message stale: it leaves once more, signed anew.
   * @returns false when it is not kept, so that whoever sent it must hear of it
   * @throws WireError `ERR_GOING_AWAY` for the second time: the clocks are not those of WELCOME any more
   */
  sendAgain(messageId: Bytes): boolean {
    const message = this.#sent?.again(messageId);
    if (message === undefined) return false;
    // [W-93]
    if (message === "twice") {
      throw new WireError("ERR_GOING_AWAY", "the clocks moved apart; a new session compares them again");
    }
    // A session that has ended meanwhile sends nothing; its end is told elsewhere.
    this.#parts.outbox.post(() => this.#sign(message)).catch(() => undefined);
    return true;
  }

  #sign(message: SentMessage): Promise<Bytes> {
    const { established, modules } = this.#parts;
    const { identity, peer, packedSid, direction, clockOffsetMs } = established;
    const sid = unpackBytes(packedSid);
    const { project, name: from } = identity.participant;
    const issuedAt = modules.clock.now() + clockOffsetMs;
    const route = { project, from, to: peer.name, sid, direction, issuedAt, tokenRef: this.#tokenRef() };
    return sealSigned({ ...message, ...route }, { key: identity.signingKey, crypto: modules.crypto });
  }

  #tokenRef(): Bytes {
    const { ownTokens, scope } = this.#parts.established;
    const ref = ownTokens.newestRef;
    if (ref !== undefined) return ref;
    if (scope !== "full") return new Uint8Array(32);
    throw new EnvelopeError("ERR_TOKEN_EXPIRED", "the session has no token");
  }
}
