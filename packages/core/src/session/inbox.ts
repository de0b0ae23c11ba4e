import type { Bytes } from "../bytes/index.ts";
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
import type { Checkpoints } from "./checkpoints.ts";
import type { AllModules, Established } from "./established.ts";
import type { HandlerLane } from "./handler-lane.ts";
import { type OuterFramesOptions, openOuter } from "./outer-frames.ts";
import type { OwnRoute } from "./own-messages.ts";
import type { ReadGate } from "./read-gate.ts";
import { asRefused, asyncRefused, PeerEnded, refused } from "./refused-input.ts";
import {
  type MessageRoute,
  type ReceivedMessage,
  routeTable,
  type Session,
  type SessionHandler,
} from "./session.ts";
import type { StreamTable } from "./stream-table.ts";

/** What an inbox belongs to. */
export interface InboxOwner {
  readonly session: Session;
  readonly established: Established;
  readonly handler: SessionHandler;
  /** Routes of the session layer itself; they run at once, before the next frame is opened. */
  readonly ownRoutes: ReadonlyMap<number, OwnRoute>;
  /** SHA-256 of the SubjectPublicKeyInfo of the server. */
  readonly serverKeyId: Bytes;
  /** Sends a message of ours again that the peer found stale. @returns false: it is not kept */
  readonly sendAgain: (messageId: Bytes) => boolean;
  /** Answers what the handler of a message throws. */
  readonly refuse: (error: unknown, messageId: Bytes) => void;
  /** Takes what the handler of something throws that cannot be answered. */
  readonly drop: (error: unknown) => void;
}

/** What an inbox works with. */
export interface InboxModules
  extends Pick<AllModules, "crypto" | "clock" | "registry" | "logger" | "metrics" | "replayStore"> {
  readonly lane: HandlerLane;
  readonly streams: StreamTable;
  readonly checkpoints: Checkpoints;
  readonly gate: ReadGate;
}

/** Opens what arrives, in the receive order of the protocol's section 6, and hands it to its handler. */
export class Inbox {
  readonly #owner: InboxOwner;
  readonly #modules: InboxModules;
  readonly #routes: ReadonlyMap<number, MessageRoute>;
  readonly #seen = new SeenMessages();
  readonly #objects: ObjectVerifier;
  readonly #opening: OuterFramesOptions;

  /** @throws TypeError when two routes are for one type */
  constructor(owner: InboxOwner, modules: InboxModules) {
    this.#owner = owner;
    this.#modules = modules;
    const { routes } = owner.handler;
    this.#routes = "get" in routes ? routes : routeTable(routes);
    const { identity, chains, objectRules, receiver, channel } = owner.established;
    this.#opening = {
      receiver,
      gate: modules.gate,
      signal: owner.session.signal,
      takesBlobs: owner.handler.onBlobChunk !== undefined,
      ownsFrames: channel.ownsFrames,
    };
    const { project, name } = identity.participant;
    this.#objects = new ObjectVerifier(
      { project, self: name, rules: objectRules },
      { crypto: modules.crypto, chains, replay: modules.replayStore },
    );
  }

  /**
   * Takes one frame of the connection.
   * @throws RefusedInput for a fault, PeerEnded when the peer ends the session
   */
  async take(bytes: Bytes): Promise<void> {
    const inner = await openOuter(bytes, this.#opening);
    if (!(inner instanceof Uint8Array)) {
      this.#takeBlob(inner, bytes);
      return;
    }
    const frame = asRefused(() => readFrame(inner, MAX_INNER_FRAME_BYTES));
    this.#modules.gate.charge(frame.kind, inner.byteLength);
    switch (frame.kind) {
      case FRAME_KIND.message:
        await asyncRefused(this.#modules.checkpoints.receives(inner));
        return await this.#takeMessage(frame);
      case FRAME_KIND.checkpoint:
        return await asyncRefused(this.#modules.checkpoints.take(frame));
      case FRAME_KIND.signed:
        return await this.#takeSigned(frame, inner);
      case FRAME_KIND.object:
        return await this.#takeObject(inner);
      case FRAME_KIND.chunk:
        return asRefused(() => this.#modules.streams.takeChunk(readChunk(frame), () => this.#release(bytes)));
      case FRAME_KIND.credit:
        return asRefused(() => this.#modules.streams.takeCredit(readCredit(frame)));
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
    const { onBlobChunk } = this.#owner.handler;
    if (onBlobChunk === undefined) return; // refused before
    const chunk = asRefused(() => readBlobChunk(frame));
    const handle = async (): Promise<void> => {
      await onBlobChunk(chunk, this.#owner.session);
      this.#release(bytes);
    };
    this.#enqueue(handle, undefined, bytes.byteLength);
  }

  async #takeMessage(frame: Frame): Promise<void> {
    const header = asRefused(() => readMessageHeader(frame));
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
    const { identity, peer, peerKey, peerTokens, direction, sid } = this.#owner.established;
    try {
      await openSigned(frame, header, {
        project: identity.participant.project,
        from: peer.name,
        to: identity.participant.name,
        sid,
        direction: direction === 0 ? 1 : 0,
        tokens: peerTokens,
        seen: this.#seen,
        verifyingKey: peerKey,
        nowMs: this.#serverNow(),
        crypto: this.#modules.crypto,
      });
    } catch (error) {
      throw refused(error, messageId);
    }
    const payloadDigest = header.payload.digest;
    const facts = { messageId, inReplyTo, scope, from: peer, issuedAt, payloadDigest };
    const message: ReceivedMessage = { ...facts, signedFrame };
    const record = (): void => {
      // [W-47] once more: another copy may have waited beside this one
      if (this.#seen.record(messageId, { expiresAt, nowMs: this.#serverNow() })) return;
      throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "a message with this id was handled before");
    };
    await this.#handle({ type: header.type, frame, message, bytes: signedFrame.byteLength, record });
  }

  /** Strict decoding, then the type: registered, travelling as it should, allowed for the role. */
  #decode({ type, frame, message }: Received): { route: MessageRoute | OwnRoute; body: unknown } {
    // [W-36]
    const body = decode(frame.payload, this.#modules.registry);
    const route = this.#owner.ownRoutes.get(type) ?? this.#routes.get(type);
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
    this.#modules.metrics.count("photinus_messages_received_total", 1, { message: route.definition.name });
    return { route, body };
  }

  /**
   * What the session itself takes is done at once. Any other message waits for its turn as it came, and is decoded then:
   * a body may take seventy times the memory of its bytes, which are what the lane counts.
   */
  async #handle(received: Received): Promise<void> {
    const { type, message, bytes, record } = received;
    if (!this.#owner.ownRoutes.has(type)) {
      this.#enqueue(() => this.#handleInTurn(received), message.messageId, bytes);
      return;
    }
    const { established, serverKeyId } = this.#owner;
    const { crypto, clock, streams, gate } = this.#modules;
    try {
      const { route, body } = this.#decode(received);
      record?.();
      if (!("act" in route)) return;
      gate.spend(route.workUs);
      await route.act(body, { established, serverKeyId, crypto, clock, streams });
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
    const { onObject } = this.#owner.handler;
    if (onObject === undefined)
      throw refused(new MessageError("ERR_TYPE_UNKNOWN", "objects are not expected here"));
    const { objectId } = asRefused(() => identifyObject(bytes));
    let object: VerifiedObject | undefined;
    try {
      object = await this.#objects.open(bytes, this.#modules.clock.now());
    } catch (error) {
      throw refused(error, objectId);
    }
    if (object === undefined) {
      this.#modules.metrics.count("photinus_objects_repeated_total");
      return;
    }
    const verified = object;
    const handle = async (): Promise<void> => {
      // [W-56] once more: another copy may have waited beside this one
      if ((await this.#modules.replayStore.digestOf(verified.objectId)) !== undefined) return;
      await onObject(verified, this.#owner.session);
      await this.#objects.commit(verified);
    };
    this.#enqueue(handle, verified.objectId, bytes.byteLength);
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
    const { handler, session, established } = this.#owner;
    const isStale = notice.code === "ERR_ENVELOPE_STALE";
    if (isStale && asRefused(() => this.#owner.sendAgain(inReplyTo))) return;
    const { code, retryAfterMs, detail } = notice;
    if (handler.onRefused === undefined) {
      this.#modules.logger.warn("the peer refused a message", { code, detail, peer: established.peer.name });
      return;
    }
    const { onRefused } = handler;
    const refusal = { code, inReplyTo, retryAfterMs, detail };
    this.#enqueue(async () => onRefused(refusal, session), undefined, frame.header.byteLength);
  }

  #enqueue(handle: () => Promise<void>, messageId: Bytes | undefined, bytes: number): void {
    this.#modules.lane.push(async () => {
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
    return this.#modules.clock.now() + this.#owner.established.clockOffsetMs;
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
