import { type Bytes, packBytes, unpackBytes } from "../bytes/index.ts";
import { type Checkpoint, openCheckpoint, sealCheckpoint } from "../envelope/index.ts";
import { WireError } from "../errors/index.ts";
import type { Frame } from "../wire/index.ts";
import { heartbeat, revocationList, signerChain, tokens } from "./control-messages.ts";
import { MessageTrail } from "./message-trail.ts";
import type { SessionParts } from "./session-parts.ts";

/** Messages after which a CHECKPOINT follows. */
const MOST_MESSAGES = 1000;
/** Time after which one follows a message that says something, ms. */
const LONGEST_MS = 60_000;
/**
 * Messages that bring what its author has signed anyway, or nothing at all: a CHECKPOINT proves nothing more of them. The
 * next one covers them, whenever that comes.
 */
const CAN_WAIT: ReadonlySet<number> = new Set(
  [heartbeat, tokens, signerChain, revocationList].map(({ type }) => type),
);
/** Time that a CHECKPOINT may take on its way, ms. */
const GRACE_MS = 60_000;

/** The signatures over the MESSAGE frames of a session, in both directions. */
export class Checkpoints {
  readonly #parts: Pick<SessionParts, "established" | "modules" | "outbox">;
  readonly #sent: MessageTrail;
  readonly #received: MessageTrail;
  #isPosted = false;
  /** Packed. */
  #evidence: string | undefined;

  constructor(parts: Pick<SessionParts, "established" | "modules" | "outbox">) {
    this.#parts = parts;
    const { packedSid } = parts.established;
    this.#sent = new MessageTrail(packedSid);
    this.#received = new MessageTrail(packedSid);
  }

  /** A MESSAGE frame is the next to leave; the thousandth is followed by a CHECKPOINT at once. */
  async sends(frame: Bytes, type: number): Promise<void> {
    await this.#sent.add(frame, this.#waitsFromMs(type), this.#parts.modules.crypto);
    if (this.#sent.uncovered >= MOST_MESSAGES) this.#post();
  }

  /** A MESSAGE frame came. @throws WireError `ERR_SEQUENCE_GAP` when a CHECKPOINT should have come before it */
  async receives(frame: Bytes, type: number): Promise<void> {
    // [W-90]
    if (this.#received.uncovered >= MOST_MESSAGES) throw overdue(`after ${MOST_MESSAGES} messages`);
    await this.#received.add(frame, this.#waitsFromMs(type), this.#parts.modules.crypto);
  }

  #waitsFromMs(type: number): number | undefined {
    return CAN_WAIT.has(type) ? undefined : this.#parts.modules.clock.now();
  }

  /** The last CHECKPOINT of the peer that verified, as it came: a signature over all its messages before it. */
  get evidence(): Bytes | undefined {
    return this.#evidence === undefined ? undefined : unpackBytes(this.#evidence);
  }

  /** A CHECKPOINT came. @param inner the whole frame @throws what {@link openCheckpoint} throws */
  async take(frame: Frame, inner: Bytes): Promise<void> {
    const { peer, identity, peerKey: verifyingKey, direction } = this.#parts.established;
    const route = { from: peer.name, to: identity.participant.name };
    const expected = this.#checkpoint(this.#received, { ...route, direction: direction === 0 ? 1 : 0 });
    // [W-91] before any signature is looked at
    if (this.#received.uncovered === 0) {
      throw new WireError("ERR_FRAME_MALFORMED", "CHECKPOINT without a message before it");
    }
    await openCheckpoint(frame, expected, { verifyingKey, crypto: this.#parts.modules.crypto });
    this.#received.cover();
    this.#evidence = packBytes(inner);
  }

  /**
   * Looks at the time: sends a CHECKPOINT that would be late at the next look.
   * @param nextMs time until then @param isReading false: nothing could come in between
   * @throws WireError `ERR_SEQUENCE_GAP` when the peer's is overdue
   */
  tick(nextMs: number, isReading: boolean): void {
    const nowMs = this.#parts.modules.clock.now();
    const waitingMs = this.#sent.waitingMs(nowMs);
    if (waitingMs > 0 && waitingMs + nextMs > LONGEST_MS) this.#post();
    if (!isReading) this.#received.excuse(nowMs);
    // [W-90]
    if (this.#received.waitingMs(nowMs) > LONGEST_MS + GRACE_MS) throw overdue("in time");
  }

  /** Next of all, so that nothing comes between it and what it covers. */
  #post(): void {
    if (this.#isPosted) return;
    this.#isPosted = true;
    const { outbox, modules, established } = this.#parts;
    const { identity, peer, direction } = established;
    const build = (): Promise<Bytes> => {
      this.#isPosted = false;
      const route = { from: identity.participant.name, to: peer.name, direction };
      const checkpoint = this.#checkpoint(this.#sent, route);
      this.#sent.cover();
      return sealCheckpoint(checkpoint, { key: identity.signingKey, crypto: modules.crypto });
    };
    // A session that has ended needs no signature; a key that cannot sign shows with the next signed message.
    outbox.postFirst(build).catch(() => undefined);
  }

  #checkpoint(
    { count, hash }: MessageTrail,
    route: Pick<Checkpoint, "from" | "to" | "direction">,
  ): Checkpoint {
    const { identity, packedSid } = this.#parts.established;
    const sid = unpackBytes(packedSid);
    return { project: identity.participant.project, ...route, sid, count, hash };
  }
}

function overdue(when: string): WireError {
  return new WireError("ERR_SEQUENCE_GAP", `no CHECKPOINT came ${when}`);
}
