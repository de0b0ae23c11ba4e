import { type Bytes, unpackBytes } from "../bytes/index.ts";
import { decode } from "../decomposer/index.ts";
import {
  identifyObject,
  ObjectVerifier,
  openSigned,
  readError,
  readMessageHeader,
  readSignedHeader,
  SeenMessages,
  type VerifiedObject,
} from "../envelope/index.ts";
import { EnvelopeError, MessageError, WireError } from "../errors/index.ts";
import { readBlobChunk, readChunk, readCredit } from "../stream/index.ts";
import { FRAME_KIND, type Frame, MAX_INNER_FRAME_BYTES, readFrame } from "../wire/index.ts";
import { openOuter } from "./outer-frames.ts";
import { type OwnRoute, ownMessages } from "./own-messages.ts";
import { asRefused, asyncRefused, PeerEnded, refused } from "./refused-input.ts";
import {
  type MessageRoute,
  type ReceivedMessage,
  type RouteTable,
  routeTable,
  type SessionHandler,
} from "./session.ts";
import type { SessionParts } from "./session-parts.ts";

/** What an inbox belongs to. */
export interface InboxOwner extends Omit<SessionParts, "outbox"> {
  /** Sends a message of ours again that the peer found stale. @returns false: it is not kept */
  sendAgain(messageId: Bytes): boolean;
  /** Answers what the handler of a message throws. */
  refuse(error: unknown, messageId: Bytes): void;
  /** Takes what the handler of something throws that cannot be answered. */
  drop(error: unknown): void;
}

/** Opens what arrives, in the receive order of the protocol's section 6, and hands it to its handler. */
export class Inbox {
  readonly #owner: InboxOwner;
  readonly #handler: SessionHandler;
  readonly #routes: RouteTable;
  /** Made with the first signed message that comes. */
  #seen: SeenMessages | undefined;
  /** Made with the first object that comes. */
  #objects: ObjectVerifier | undefined;

  /** @throws TypeError when two routes are for one type */
  constructor(owner: InboxOwner, handler: SessionHandler) {
    this.#owner = owner;
    this.#handler = handler;
    const { routes } = handler;
    this.#routes = "get" in routes ? routes : routeTable(routes);
  }

  /**
   * Takes one frame of the connection.
   * @throws RefusedInput for a fault, PeerEnded when the peer ends the session
   */
  async take(bytes: Bytes): Promise<void> {
    const takesBlobs = this.#handler.onBlobChunk !== undefined;
    const inner = await openOuter(bytes, this.#owner, takesBlobs);
    if (!(inner instanceof Uint8Array)) {
      this.#takeBlob(inner, bytes);
      return;
    }
    const frame = asRefused(() => readFrame(inner, MAX_INNER_FRAME_BYTES));
    this.#owner.gate.charge(frame.kind, inner.byteLength);
    switch (frame.kind) {
      case FRAME_KIND.message:
        return await this.#takeMessage(frame, inner);
      case FRAME_KIND.checkpoint:
        return await asyncRefused(this.#owner.checkpoints.take(frame, inner));
      case FRAME_KIND.signed:
        return await this.#takeSigned(frame, inner);
      case FRAME_KIND.object:
        return await this.#takeObject(inner);
      case FRAME_KIND.chunk:
        return asRefused(() => this.#owner.streams.takeChunk(readChunk(frame), () => this.#release(bytes)));
      case FRAME_KIND.credit:
        return asRefused(() => this.#owner.streams.takeCredit(readCredit(frame)));
      case FRAME_KIND.error:
        return this.#takeError(frame);
      case FRAME_KIND.rekey:
        return await this.#takeRekey(frame);
      default:
        // [W-35]
        throw refused(
          new WireError("ERR_FRAME_MALFORMED", `a frame of kind ${frame.kind} inside the session`),
        );
    }
  }

  #takeBlob(frame: Frame, bytes: Bytes): void {
    const { onBlobChunk } = this.#handler;
    if (onBlobChunk === undefined) return; // refused before
    const chunk = asRefused(() => readBlobChunk(frame));
    const handle = async (): Promise<void> => {
      await onBlobChunk(chunk, this.#owner.session);
      this.#release(bytes);
    };
    this.#enqueue(handle, undefined, bytes.byteLength);
  }

  async #takeMessage(frame: Frame, inner: Bytes): Promise<void> {
    const header = asRefused(() => readMessageHeader(frame));
    await asyncRefused(this.#owner.checkpoints.receives(inner, header.type));
    const { messageId, inReplyTo, scope } = header;
    const message: ReceivedMessage = {
      messageId,
      inReplyTo,
      scope,
      from: this.#owner.established.peer,
      issuedAt: undefined,
      payloadDigest: undefined,
      signedFrame: undefined,
    };
    // [W-44], [W-45]
    asRefused(
      () => this.#owner.established.peerTokens.require(header.tokenRef, this.#serverNow()),
      messageId,
    );
    await this.#handle({ type: header.type, frame, message, bytes: frame.payload.byteLength });
  }

  async #takeSigned(frame: Frame, signedFrame: Bytes): Promise<void> {
    const header = asRefused(() => readSignedHeader(frame.header));
    const { messageId, inReplyTo, scope, issuedAt, expiresAt } = header;
    const { identity, peer, peerKey, peerTokens, direction, packedSid } = this.#owner.established;
    this.#seen ??= new SeenMessages();
    const seen = this.#seen;
    try {
      await openSigned(frame, header, {
        project: identity.participant.project,
        from: peer.name,
        to: identity.participant.name,
        sid: unpackBytes(packedSid),
        direction: direction === 0 ? 1 : 0,
        tokens: peerTokens,
        seen,
        verifyingKey: peerKey,
        nowMs: this.#serverNow(),
        crypto: this.#owner.modules.crypto,
      });
    } catch (error) {
      throw refused(error, messageId);
    }
    const payloadDigest = header.payload.digest;
    const facts = { messageId, inReplyTo, scope, from: peer, issuedAt, payloadDigest };
    const message: ReceivedMessage = { ...facts, signedFrame };
    const record = (): void => {
      // [W-47] once more: another copy may have waited beside this one
      if (seen.record(messageId, { expiresAt, nowMs: this.#serverNow() })) return;
      throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "a message with this id was handled before");
    };
    await this.#handle({ type: header.type, frame, message, bytes: signedFrame.byteLength, record });
  }

  /** Strict decoding, then the type: registered, travelling as it should, allowed for the role. */
  #decode({ type, frame, message }: Received): { route: MessageRoute | OwnRoute; body: unknown } {
    // [W-36]
    const body = decode(frame.payload, this.#owner.modules.registry);
    const route = this.#ownRoutes.get(type) ?? this.#routes.get(type);
    const isSigned = message.signedFrame !== undefined;
    const { peer } = this.#owner.established;
    // [W-37]
    if (route === undefined || route.definition.signed !== isSigned) {
      throw new MessageError("ERR_TYPE_UNKNOWN", `messages of type ${type} are not expected here`);
    }
    // [W-38]
    if (!route.definition.from.includes(peer.role)) {
      throw new MessageError("ERR_TYPE_UNKNOWN", `${route.definition.name} is not for the role ${peer.role}`);
    }
    this.#owner.modules.metrics.count("photinus_messages_received_total", 1, {
      message: route.definition.name,
    });
    return { route, body };
  }

  /**
   * What the session itself takes is done at once. Any other message waits for its turn as it came, and is decoded then:
   * a body may take seventy times the memory of its bytes, which are what the lane counts.
   */
  async #handle(received: Received): Promise<void> {
    const { type, message, bytes, record } = received;
    if (!this.#ownRoutes.has(type)) {
      this.#enqueue(() => this.#handleInTurn(received), message.messageId, bytes);
      return;
    }
    const { gate } = this.#owner;
    try {
      const { route, body } = this.#decode(received);
      record?.();
      if (!("act" in route)) return;
      gate.spend(route.workUs);
      await route.act(body, this.#owner);
    } catch (error) {
      throw refused(error, message.messageId);
    }
  }

  async #handleInTurn(received: Received): Promise<void> {
    const { route, body } = this.#decode(received);
    received.record?.();
    if ("handle" in route) await route.handle(body, received.message, this.#owner.session);
  }

  async #takeObject(bytes: Bytes): Promise<void> {
    const { onObject } = this.#handler;
    if (onObject === undefined)
      throw refused(new MessageError("ERR_TYPE_UNKNOWN", "objects are not expected here"));
    const { objectId } = asRefused(() => identifyObject(bytes));
    this.#objects ??= this.#verifier();
    const objects = this.#objects;
    let object: VerifiedObject | undefined;
    try {
      object = await objects.open(bytes, this.#owner.modules.clock.now());
    } catch (error) {
      throw refused(error, objectId);
    }
    if (object === undefined) {
      this.#owner.modules.metrics.count("photinus_objects_repeated_total");
      return;
    }
    const verified = object;
    const handle = async (): Promise<void> => {
      // [W-56] once more: another copy may have waited beside this one
      if ((await this.#owner.replay.digestOf(verified.objectId)) !== undefined) return;
      await onObject(verified, this.#owner.session);
      await objects.commit(verified);
    };
    this.#enqueue(handle, verified.objectId, bytes.byteLength);
  }

  #verifier(): ObjectVerifier {
    const { established, chains, modules, replay } = this.#owner;
    const { project, name } = established.identity.participant;
    return new ObjectVerifier(
      { project, self: name, rules: established.objectRules },
      { crypto: modules.crypto, chains, replay },
    );
  }

  /** Routes of the session layer itself; they run at once, before the next frame is opened. */
  get #ownRoutes(): ReadonlyMap<number, OwnRoute> {
    return ownMessages(this.#owner.established.direction);
  }

  async #takeRekey({ header, tag, payload }: Frame): Promise<void> {
    // [W-85]
    if (header.byteLength + tag.byteLength + payload.byteLength > 0) {
      throw refused(new WireError("ERR_FRAME_MALFORMED", "REKEY is a prefix and nothing else"));
    }
    await this.#owner.established.receiver.rekey();
  }

  #takeError(frame: Frame): void {
    const notice = asRefused(() => readError(frame));
    const { inReplyTo } = notice;
    // [W-39] without a message that it answers it is the end
    if (inReplyTo === undefined) throw new PeerEnded(notice);
    const { session, established } = this.#owner;
    const isStale = notice.code === "ERR_ENVELOPE_STALE";
    if (isStale && asRefused(() => this.#owner.sendAgain(inReplyTo))) return;
    const { code, retryAfterMs, detail } = notice;
    const { onRefused } = this.#handler;
    if (onRefused === undefined) {
      this.#owner.modules.logger.warn("the peer refused a message", {
        code,
        detail,
        peer: established.peer.name,
      });
      return;
    }
    const refusal = { code, inReplyTo, retryAfterMs, detail };
    this.#enqueue(async () => onRefused(refusal, session), undefined, frame.header.byteLength);
  }

  #enqueue(handle: () => Promise<void>, messageId: Bytes | undefined, bytes: number): void {
    this.#owner.lane.push(async () => {
      try {
        await handle();
      } catch (error) {
        if (messageId === undefined) this.#owner.drop(error);
        else this.#owner.refuse(error, messageId);
      }
    }, bytes);
  }

  #release(frame: Bytes): void {
    this.#owner.established.channel.release(frame);
  }

  #serverNow(): number {
    return this.#owner.modules.clock.now() + this.#owner.established.clockOffsetMs;
  }
}

interface Received {
  readonly type: number;
  /** Holds the body, not decoded. */
  readonly frame: Frame;
  readonly message: ReceivedMessage;
  /** Memory that the message holds. */
  readonly bytes: number;
  /** Records its id just before it is handled. */
  readonly record?: () => void;
}
