import { type Bytes, equalBytes } from "../bytes/index.ts";
import { encode } from "../decomposer/index.ts";
import { wireCodeOf, writeError } from "../envelope/index.ts";
import { type ErrorCode, PhotinusError } from "../errors/index.ts";
import type { MessageDefinition } from "../message/index.ts";
import type { Participant } from "../pki/index.ts";
import { sleep } from "../platform/index.ts";
import type { BlobFrames, StreamManifest, StreamSink, StreamSource } from "../stream/index.ts";
import { Checkpoints } from "./checkpoints.ts";
import { signerChain } from "./control-messages.ts";
import type { AllModules, Established } from "./established.ts";
import { detailForPeer, endedError, endsSession, type Fault, faultOf } from "./fault.ts";
import { HandlerLane } from "./handler-lane.ts";
import { Inbox } from "./inbox.ts";
import { KeepAlive } from "./keep-alive.ts";
import { MessageSender } from "./message-sender.ts";
import { ObjectSender } from "./object-sender.ts";
import { Outbox } from "./outbox.ts";
import { ownMessages } from "./own-messages.ts";
import { type LoginPace, retryAfterOf } from "./pace.ts";
import { ReadGate } from "./read-gate.ts";
import { PeerEnded, RefusedInput } from "./refused-input.ts";
import { streamResumed } from "./resume.ts";
import type { SendOptions, Session, SessionEnd, SessionHandler } from "./session.ts";
import { StreamTable } from "./stream-table.ts";
import type { SessionScope } from "./welcome.ts";

/** How long the last word of a session may take to leave. */
const CLOSING_MS = 5000;

/** What a session needs beside its modules: the server's own key id, where this side is the server. */
export interface LiveSessionOptions {
  readonly established: Established;
  /** SHA-256 of the SubjectPublicKeyInfo of the server, whichever side this is. */
  readonly serverKeyId: Bytes;
}

/** The session from WELCOME on, at either side. */
export class LiveSession implements Session {
  readonly #established: Established;
  readonly #serverKeyId: Bytes;
  readonly #modules: AllModules;
  readonly #outbox: Outbox;
  readonly #streams: StreamTable;
  readonly #lane: HandlerLane;
  readonly #checkpoints: Checkpoints;
  readonly #sender: MessageSender;
  readonly #objects: ObjectSender;
  readonly #gate: ReadGate;
  readonly #keepAlive: KeepAlive;
  readonly #controller = new AbortController();
  readonly ended: Promise<SessionEnd>;
  #settleEnded: (end: SessionEnd) => void = () => undefined;
  #isReading = false;
  #isEnded = false;
  #closing: Promise<void> | undefined;
  #lastReceivedMs: number;

  constructor({ established, serverKeyId }: LiveSessionOptions, modules: AllModules) {
    this.#established = established;
    this.#serverKeyId = serverKeyId;
    this.#modules = modules;
    const { channel, sender, limits } = established;
    const { ageMs: keyAgeMs } = limits.record;
    this.#outbox = new Outbox({ channel, records: sender, clock: modules.clock, keyAgeMs });
    this.#streams = new StreamTable(limits, {
      crypto: modules.crypto,
      clock: modules.clock,
      outbox: this.#outbox,
    });
    this.#lane = new HandlerLane(limits.waitingBytes);
    // What a session keeps is written out: of each object that is spread and added to, V8 makes a class of its own.
    const { crypto, clock } = modules;
    const outbox = this.#outbox;
    this.#checkpoints = new Checkpoints(established, { crypto, clock, outbox });
    const checkpoints = this.#checkpoints;
    this.#sender = new MessageSender(established, { crypto, clock, outbox, checkpoints });
    const sendChain = (chain: readonly Bytes[]): Promise<Bytes> => this.send(signerChain, { chain });
    this.#objects = new ObjectSender(established, { outbox, sendChain });
    this.#gate = new ReadGate(limits, modules.clock);
    this.#lastReceivedMs = modules.clock.now();
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    this.#keepAlive = new KeepAlive(
      {
        session: this,
        established,
        lastSentMs: () => this.#outbox.lastSentMs,
        // What waits unread is no silence of the peer.
        lastReceivedMs: () => (this.#isListening ? this.#lastReceivedMs : modules.clock.now()),
        isQuiet: () => this.#outbox.isIdle && this.#streams.isIdle && this.#lane.isIdle,
        onTick: (nextMs) => {
          if (established.scope === "full") this.#checkpoints.tick(nextMs, this.#isListening);
        },
        end: (error) => this.#fail(error),
        serverKeyId: established.direction === 1 ? serverKeyId : undefined,
      },
      modules,
    );
  }

  /** Begins to send and to tick; called once by whoever made it. */
  start(): void {
    this.#outbox.run().catch((error: unknown) => {
      this.#outbox.stop(error); // nothing more can leave, so nobody must wait for it
      this.#fail(error);
    });
    this.#keepAlive.start();
    void this.#established.channel.ended.then(({ closeCode, reason }) => {
      // A session that reads sees what came before the end, and then the end.
      if (!this.#isReading || !this.#lane.hasRoom) this.#lost(closeCode, reason);
      this.#lane.unbound();
    });
  }

  /** Sends a last message when the session starts, and closes: an enrolment. */
  closeAfter(last: () => Promise<unknown>): void {
    last()
      .then(() => this.close("ERR_GOING_AWAY", ""))
      .catch((error: unknown) => this.#fail(error));
  }

  /** True while a frame of the peer would be heard at once. */
  get #isListening(): boolean {
    return this.#isReading && this.#lane.hasRoom && !this.#gate.isWaiting;
  }

  get id(): Bytes {
    return this.#established.sid;
  }

  get scope(): SessionScope {
    return this.#established.scope;
  }

  get self(): Participant {
    return this.#established.identity.participant;
  }

  get peer(): Participant {
    return this.#established.peer;
  }

  get clockOffsetMs(): number {
    return this.#established.clockOffsetMs;
  }

  get returnMs(): number {
    return this.#established.spread.returnMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get traffic(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return this.#established.channel.traffic;
  }

  receive(handler: SessionHandler): void {
    if (this.#isReading) throw new TypeError("a session receives once");
    const { crypto, clock, registry, logger, metrics, replayStore } = this.#modules;
    const inbox = new Inbox(
      {
        session: this,
        established: this.#established,
        handler,
        ownRoutes: ownMessages(this.#established.direction),
        serverKeyId: this.#serverKeyId,
        sendAgain: (messageId) => this.#sender.sendAgain(messageId),
        refuse: (error, messageId) => this.#refuse(error, messageId),
        drop: (error) => this.#drop(error),
      },
      {
        crypto,
        clock,
        registry,
        logger,
        metrics,
        replayStore,
        lane: this.#lane,
        streams: this.#streams,
        checkpoints: this.#checkpoints,
        gate: this.#gate,
      },
    );
    this.#isReading = true;
    this.#lastReceivedMs = this.#modules.clock.now();
    this.#read(inbox).catch((error: unknown) => this.#fail(error));
  }

  async send<Body>(
    definition: MessageDefinition<Body>,
    body: Body,
    options: SendOptions = {},
  ): Promise<Bytes> {
    this.#controller.signal.throwIfAborted();
    const messageId = options.messageId ?? this.#modules.crypto.randomBytes(16);
    const { inReplyTo, scope } = options;
    const encoded = encode(body, this.#modules.registry);
    const message = { type: definition.type, messageId, inReplyTo, scope, body: encoded };
    await (definition.signed ? this.#sender.sendSigned(message) : this.#sender.send(message));
    return messageId;
  }

  async sendObject(object: Bytes, signerChainOfObject: readonly Bytes[]): Promise<void> {
    this.#controller.signal.throwIfAborted();
    await this.#objects.send(object, signerChainOfObject);
  }

  async sendBlob(blob: { readonly frames: BlobFrames }, signal?: AbortSignal): Promise<void> {
    this.#controller.signal.throwIfAborted();
    await this.#streams.sendBlob(blob, signal);
  }

  async sendStream(manifest: StreamManifest, source: StreamSource, signal?: AbortSignal): Promise<void> {
    this.#controller.signal.throwIfAborted();
    await this.#streams.send(manifest, source, signal);
  }

  async acceptStream(manifest: StreamManifest, sink: StreamSink, signal?: AbortSignal): Promise<void> {
    this.#controller.signal.throwIfAborted();
    const { received } = sink;
    if (received !== undefined && received.count > 0) {
      // Before the first credit, which the table grants.
      await this.send(streamResumed, { streamId: manifest.streamId, received: received.bitmap() });
    }
    await this.#streams.accept(manifest, sink, signal);
  }

  close(code: ErrorCode, detail = "", retryAfterMs?: number): Promise<void> {
    // Fenced: nothing of it has an effect any more while it is told.
    if (code === "ERR_SUPERSEDED") this.#lane.stop();
    return this.#close({ code, detail, retryAfterMs });
  }

  #close(fault: Fault): Promise<void> {
    if (this.#isEnded) return this.#closing ?? Promise.resolve();
    this.#closing ??= this.#sayAndClose(fault);
    return this.#closing;
  }

  /** The peer is told in the session, after everything that was posted before; then the connection closes. */
  async #sayAndClose(fault: Fault): Promise<void> {
    const notice = this.#noticeOf(fault, this.#modules.pace);
    const posted = this.#outbox.post(() => writeError(notice)).catch(() => undefined);
    // When even that cannot be sent, or something before it never ends, the close code still says it.
    const patience = sleep(this.#modules.clock, CLOSING_MS, this.signal).catch(() => undefined);
    await Promise.race([posted, patience]);
    this.#finish({ ...fault, local: true });
    this.#established.channel.close(wireCodeOf(fault.code), fault.code);
  }

  async #read(inbox: Inbox): Promise<void> {
    const { channel } = this.#established;
    while (!this.#isEnded) {
      // Not raced with the end of the connection: each race would stay with its promise as long as the session lives.
      if (!this.#lane.hasRoom) await this.#lane.room();
      const frame = await channel.next();
      if (this.#isEnded || this.#closing !== undefined) return;
      if (frame === undefined) {
        const { closeCode, reason } = await channel.ended;
        this.#lost(closeCode, reason);
        return;
      }
      this.#lastReceivedMs = this.#modules.clock.now();
      await this.#take(inbox, frame);
      if (this.#gate.turn.isOver) await this.#gate.turn.next();
    }
  }

  async #take(inbox: Inbox, frame: Bytes): Promise<void> {
    try {
      await inbox.take(frame);
    } catch (error) {
      if (error instanceof RefusedInput) this.#refuse(error.error, error.messageId);
      else if (error instanceof PeerEnded) this.#endedByPeer(error.notice);
      else throw error;
    }
  }

  /** A fault of the peer, or of a handler: an answer, or the end. */
  #refuse(error: unknown, messageId: Bytes | undefined): void {
    if (this.#isEnded || this.#closing !== undefined) return;
    const fault = faultOf(error);
    this.#modules.metrics.count("photinus_refusals_total", 1, { code: fault.code });
    if (!(error instanceof PhotinusError)) {
      this.#modules.logger.error("a handler failed", error, { peer: this.peer.name });
    }
    if (messageId === undefined || endsSession(fault.code)) {
      this.#fail(error);
      return;
    }
    // Whoever is refused stays: it takes no place in the row of those who come back.
    const notice = { ...this.#noticeOf(fault, undefined), inReplyTo: messageId };
    // A session that has ended meanwhile has told the peer more than this.
    this.#outbox.post(() => writeError(notice)).catch(() => undefined);
  }

  /** A handler failed over something that is not answered, as a blob's chunk: the session goes on where it may. */
  #drop(error: unknown): void {
    const { code } = faultOf(error);
    if (endsSession(code)) this.#refuse(error, undefined);
    else this.#modules.metrics.count("photinus_refusals_total", 1, { code });
  }

  #fail(error: unknown): void {
    if (this.#isEnded || this.#closing !== undefined) return;
    void this.#close(faultOf(error));
  }

  /** As the peer is told; only a server says when to come back. */
  #noticeOf(fault: Fault, pace: LoginPace | undefined): Fault {
    const isServer = this.#established.direction === 1;
    const retryAfterMs = fault.retryAfterMs ?? (isServer ? retryAfterOf(fault.code, pace) : undefined);
    return { code: fault.code, detail: detailForPeer(fault), retryAfterMs };
  }

  #endedByPeer({ code, detail, retryAfterMs }: Fault): void {
    this.#finish({ code, detail, retryAfterMs, local: false });
    this.#established.channel.close(1000, "");
  }

  #lost(closeCode: number, reason: string): void {
    this.#finish({
      code: "ERR_CONNECTION_LOST",
      detail: `the connection ended: ${closeCode} ${reason}`,
      local: false,
    });
  }

  #finish(end: SessionEnd): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const reason = endedError(end);
    this.#keepAlive.stop();
    this.#outbox.stop(reason);
    this.#streams.stop(reason);
    this.#modules.logger.info("session ended", {
      code: end.code,
      detail: end.detail,
      local: end.local,
      peer: this.peer.name,
    });
    this.#controller.abort(reason);
    this.#established.sender.forget();
    this.#established.receiver.forget();
    // What the peer sent before its end still counts; what comes when we end it does not.
    if (end.local) this.#lane.stop();
    void this.#lane.idle().then(() => this.#settleEnded(end));
  }
}

/** True when two sessions are of the same certificate: of these only the newest lives. */
export function isSameCertificate(left: Session, right: Session): boolean {
  return equalBytes(left.peer.leafDigest, right.peer.leafDigest);
}
