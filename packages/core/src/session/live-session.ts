import { type Bytes, unpackBytes } from "../bytes/index.ts";
import { encode } from "../decomposer/index.ts";
import {
  ChainDirectory,
  memoryReplayStore,
  type ObjectReplayStore,
  wireCodeOf,
  writeError,
} from "../envelope/index.ts";
import { type ErrorCode, PhotinusError, type WireError } from "../errors/index.ts";
import type { MessageDefinition } from "../message/index.ts";
import type { Participant } from "../pki/index.ts";
import { type Awaitable, type ConnectionEnd, sleep } from "../platform/index.ts";
import type { BlobFrames, StreamManifest, StreamSink, StreamSource } from "../stream/index.ts";
import { Checkpoints } from "./checkpoints.ts";
import type { AllModules, Established } from "./established.ts";
import { detailForPeer, endedError, endsSession, type Fault, faultOf } from "./fault.ts";
import { HandlerLane } from "./handler-lane.ts";
import { Inbox, type InboxOwner } from "./inbox.ts";
import { KeepAlive, type KeepAliveOwner } from "./keep-alive.ts";
import { MessageSender } from "./message-sender.ts";
import { ObjectSender } from "./object-sender.ts";
import { Outbox } from "./outbox.ts";
import { type LoginPace, retryAfterOf } from "./pace.ts";
import { ReadGate } from "./read-gate.ts";
import { PeerEnded, RefusedInput } from "./refused-input.ts";
import { streamResumed } from "./resume.ts";
import type { SendOptions, Session, SessionEnd, SessionEndListener, SessionHandler } from "./session.ts";
import { StreamTable } from "./stream-table.ts";
import type { SessionScope } from "./welcome.ts";

const NO_LISTENERS: readonly never[] = [];

/** How long the last word of a session may take to leave. */
const CLOSING_MS = 5000;

/** What a session needs beside its modules. */
export interface LiveSessionOptions {
  readonly established: Established;
  /** At a client: SHA-256 of the SubjectPublicKeyInfo of its server. */
  readonly serverKeyId?: Bytes;
}

/** The session from WELCOME on, at either side. What few sessions need is made when it is needed. */
export class LiveSession implements Session, InboxOwner, KeepAliveOwner {
  readonly established: Established;
  readonly #serverKeyId: Bytes | undefined;
  readonly modules: AllModules;
  readonly outbox: Outbox;
  readonly lane: HandlerLane;
  readonly checkpoints: Checkpoints;
  readonly #sender: MessageSender;
  readonly #keepAlive: KeepAlive;
  /** While it remembers something of the peer. */
  #gate: ReadGate | undefined;
  #streams: StreamTable | undefined;
  #chains: ChainDirectory | undefined;
  #replay: ObjectReplayStore | undefined;
  #objects: ObjectSender | undefined;
  #inbox: Inbox | undefined;
  #controller: AbortController | undefined;
  /** Nearly always one or two. */
  #listener: SessionEndListener | undefined;
  #listeners: readonly SessionEndListener[] = NO_LISTENERS;
  #closing: Promise<void> | undefined;
  /** Why nothing more may be sent. */
  #reason: WireError | undefined;
  /** Told to everybody who asks. */
  #end: SessionEnd | undefined;
  #isReading = false;
  #lastReceivedMs: number;

  constructor({ established, serverKeyId }: LiveSessionOptions, modules: AllModules) {
    this.established = established;
    this.#serverKeyId = serverKeyId;
    this.modules = modules;
    const { limits } = established;
    this.outbox = new Outbox(this);
    this.lane = new HandlerLane(limits.waitingBytes);
    this.checkpoints = new Checkpoints(this);
    this.#sender = new MessageSender(this);
    this.#lastReceivedMs = modules.clock.now();
    this.#keepAlive = new KeepAlive(this);
  }

  /** Begins to send and to tick; called once by whoever made it. */
  start(): void {
    this.outbox.start();
    this.#keepAlive.start();
    this.established.channel.follow(this);
  }

  get session(): this {
    return this;
  }

  serverKeyId(): Awaitable<Bytes> {
    const { identity } = this.established;
    return this.#serverKeyId ?? this.modules.crypto.sha256(identity.signingKey.publicKey);
  }

  get gate(): ReadGate {
    this.#gate ??= new ReadGate(this.established.limits, this.modules.clock);
    return this.#gate;
  }

  get streams(): StreamTable {
    const { established, modules, outbox } = this;
    const { crypto, clock } = modules;
    this.#streams ??= new StreamTable(established.limits, { crypto, clock, outbox });
    return this.#streams;
  }

  get chains(): ChainDirectory {
    const { identity, peer, root, revocations } = this.established;
    const { crypto, chainCache } = this.modules;
    this.#chains ??= new ChainDirectory(
      { project: identity.participant.project, root, known: peer },
      { crypto, cache: chainCache, revocation: revocations },
    );
    return this.#chains;
  }

  get replay(): ObjectReplayStore {
    this.#replay ??= this.modules.replayStore?.() ?? memoryReplayStore(this.modules);
    return this.#replay;
  }

  /** True while a frame of the peer would be heard at once. */
  get #isListening(): boolean {
    return this.#inbox !== undefined && this.lane.hasRoom && this.#gate?.isWaiting !== true;
  }

  get #isEnded(): boolean {
    return this.#reason !== undefined;
  }

  heardMs(): number {
    // What waits unread is no silence of the peer.
    return this.#isListening ? this.#lastReceivedMs : this.modules.clock.now();
  }

  isQuiet(): boolean {
    return this.outbox.isIdle && (this.#streams?.isIdle ?? true) && this.lane.isIdle;
  }

  tick(nextMs: number): void {
    if (this.#gate?.isAtRest === true) this.#gate = undefined;
    if (this.established.scope === "full") this.checkpoints.tick(nextMs, this.#isListening);
  }

  sendAgain(messageId: Bytes): boolean {
    return this.#sender.sendAgain(messageId);
  }

  get id(): Bytes {
    return unpackBytes(this.established.packedSid);
  }

  get scope(): SessionScope {
    return this.established.scope;
  }

  get self(): Participant {
    return this.established.identity.participant;
  }

  get peer(): Participant {
    return this.established.peer;
  }

  get clockOffsetMs(): number {
    return this.established.clockOffsetMs;
  }

  get returnMs(): number {
    return this.established.spread.returnMs;
  }

  get ended(): Promise<SessionEnd> {
    return new Promise((resolve) => this.whenEnded(resolve));
  }

  whenEnded(listener: SessionEndListener): void {
    if (this.#end !== undefined) listener(this.#end, this);
    else if (this.#listener === undefined) this.#listener = listener;
    else this.#listeners = this.#listeners.concat(listener); // of a list that grows in place most is room
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    const { signal } = this.#controller;
    if (this.#reason !== undefined && !signal.aborted) this.#controller.abort(this.#reason);
    return signal;
  }

  get traffic(): { readonly sentBytes: number; readonly receivedBytes: number } {
    return this.established.channel.traffic;
  }

  get evidence(): Bytes | undefined {
    return this.checkpoints.evidence;
  }

  receive(handler: SessionHandler): void {
    if (this.#inbox !== undefined) throw new TypeError("a session receives once");
    this.#inbox = new Inbox(this, handler);
    this.#lastReceivedMs = this.modules.clock.now();
    this.framesCame();
  }

  async send<Body>(
    definition: MessageDefinition<Body>,
    body: Body,
    options: SendOptions = {},
  ): Promise<Bytes> {
    this.#requireLive();
    const messageId = options.messageId ?? this.modules.crypto.randomBytes(16);
    const { inReplyTo, scope } = options;
    const encoded = encode(body, this.modules.registry);
    const message = { type: definition.type, messageId, inReplyTo, scope, body: encoded };
    await (definition.signed ? this.#sender.sendSigned(message) : this.#sender.send(message));
    return messageId;
  }

  async sendObject(object: Bytes, signerChainOfObject: readonly Bytes[]): Promise<void> {
    this.#requireLive();
    this.#objects ??= new ObjectSender(this);
    await this.#objects.send(object, signerChainOfObject);
  }

  async sendBlob(blob: { readonly frames: BlobFrames }, signal?: AbortSignal): Promise<void> {
    this.#requireLive();
    await this.streams.sendBlob(blob, signal);
  }

  async sendStream(manifest: StreamManifest, source: StreamSource, signal?: AbortSignal): Promise<void> {
    this.#requireLive();
    await this.streams.send(manifest, source, signal);
  }

  async acceptStream(manifest: StreamManifest, sink: StreamSink, signal?: AbortSignal): Promise<void> {
    this.#requireLive();
    const { received } = sink;
    if (received !== undefined && received.count > 0) {
      // Before the first credit, which the table grants.
      await this.send(streamResumed, { streamId: manifest.streamId, received: received.bitmap() });
    }
    await this.streams.accept(manifest, sink, signal);
  }

  /** @throws WireError why the session has ended */
  #requireLive(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  close(code: ErrorCode, detail = "", retryAfterMs?: number): Promise<void> {
    // Fenced: nothing of it has an effect any more while it is told.
    if (code === "ERR_SUPERSEDED") this.lane.stop();
    return this.#close({ code, detail, retryAfterMs });
  }

  #close(fault: Fault): Promise<void> {
    if (this.#isEnded) return this.#closing ?? Promise.resolve();
    this.#closing ??= this.#sayAndClose(fault);
    return this.#closing;
  }

  /** The peer is told in the session, after everything that was posted before; then the connection closes. */
  async #sayAndClose(fault: Fault): Promise<void> {
    const notice = this.#noticeOf(fault, this.modules.pace);
    const posted = this.outbox.post(() => writeError(notice)).catch(() => undefined);
    // When even that cannot be sent, or something before it never ends, the close code still says it.
    const patience = sleep(this.modules.clock, CLOSING_MS, this.signal).catch(() => undefined);
    await Promise.race([posted, patience]);
    this.#finish({ ...fault, local: true });
    this.established.channel.close(wireCodeOf(fault.code), fault.code);
  }

  /** The channel has frames, or has ended: they are read until there are none. */
  framesCame(): void {
    if (this.#inbox === undefined || this.#isReading) return;
    this.#isReading = true;
    this.#read(this.#inbox).catch((error: unknown) => this.fail(error));
  }

  /** Beside what the reader does, which may wait for a handler. */
  connectionEnded({ closeCode, reason }: ConnectionEnd): void {
    // A session that reads, or is about to, sees what came before the end, such as the peer's last word, and then the end.
    if (!this.lane.hasRoom) this.#lost(closeCode, reason);
    if (this.#inbox === undefined && !this.#isEnded) {
      this.modules.clock.after(0, () => {
        if (this.#inbox === undefined) this.#lost(closeCode, reason);
      });
    }
    this.lane.unbound();
  }

  async #read(inbox: Inbox): Promise<void> {
    const { channel } = this.established;
    while (!this.#isEnded) {
      // Not raced with the end of the connection: each race would stay with its promise as long as the session lives.
      if (!this.lane.hasRoom) await this.lane.room();
      const frame = channel.take();
      if (this.#isEnded || this.#closing !== undefined) return;
      if (frame === undefined) {
        this.#isReading = false; // in the same turn: a frame that comes now is not missed
        const { end } = channel;
        if (end !== undefined) this.#lost(end.closeCode, end.reason);
        return;
      }
      this.#lastReceivedMs = this.modules.clock.now();
      await this.#take(inbox, frame);
      if (this.gate.turn.isOver) await this.gate.turn.next();
    }
  }

  async #take(inbox: Inbox, frame: Bytes): Promise<void> {
    try {
      await inbox.take(frame);
    } catch (error) {
      if (error instanceof RefusedInput) this.refuse(error.error, error.messageId);
      else if (error instanceof PeerEnded) this.#endedByPeer(error.notice);
      else throw error;
    }
  }

  /** A fault of the peer, or of a handler: an answer, or the end. */
  refuse(error: unknown, messageId: Bytes | undefined): void {
    if (this.#isEnded || this.#closing !== undefined) return;
    const fault = faultOf(error);
    this.modules.metrics.count("photinus_refusals_total", 1, { code: fault.code });
    if (!(error instanceof PhotinusError)) {
      this.modules.logger.error("a handler failed", error, { peer: this.peer.name });
    }
    if (messageId === undefined || endsSession(fault.code)) {
      this.fail(error);
      return;
    }
    // Whoever is refused stays: it takes no place in the row of those who come back.
    const notice = { ...this.#noticeOf(fault, undefined), inReplyTo: messageId };
    // A session that has ended meanwhile has told the peer more than this.
    this.outbox.post(() => writeError(notice)).catch(() => undefined);
  }

  /** A handler failed over something that is not answered, as a blob's chunk: the session goes on where it may. */
  drop(error: unknown): void {
    const { code } = faultOf(error);
    if (endsSession(code)) this.refuse(error, undefined);
    else this.modules.metrics.count("photinus_refusals_total", 1, { code });
  }

  fail(error: unknown): void {
    if (this.#isEnded || this.#closing !== undefined) return;
    void this.#close(faultOf(error));
  }

  /** As the peer is told; only a server says when to come back. */
  #noticeOf(fault: Fault, pace: LoginPace | undefined): Fault {
    const isServer = this.established.direction === 1;
    const retryAfterMs = fault.retryAfterMs ?? (isServer ? retryAfterOf(fault.code, pace) : undefined);
    return { code: fault.code, detail: detailForPeer(fault), retryAfterMs };
  }

  #endedByPeer({ code, detail, retryAfterMs }: Fault): void {
    this.#finish({ code, detail, retryAfterMs, local: false });
    this.established.channel.close(1000, "");
  }

  #lost(closeCode: number, reason: string): void {
    const detail = `the connection ended: ${closeCode} ${reason}`;
    this.#finish({ code: "ERR_CONNECTION_LOST", detail, local: false, closeCode });
  }

  #finish(end: SessionEnd): void {
    if (this.#reason !== undefined) return;
    const reason = endedError(end);
    this.#reason = reason;
    this.#keepAlive.stop();
    this.outbox.stop(reason);
    this.#streams?.stop(reason);
    const { code, detail, local } = end;
    this.modules.logger.info("session ended", { code, detail, local, peer: this.peer.name });
    this.#controller?.abort(reason);
    this.established.sender.forget();
    this.established.receiver.forget();
    // What the peer sent before its end still counts; what comes when we end it does not.
    if (end.local) this.lane.stop();
    void this.lane.idle().then(() => this.#tellEnded(end));
  }

  #tellEnded(end: SessionEnd): void {
    this.#end = end;
    const listeners = this.#listeners;
    this.#listeners = NO_LISTENERS;
    this.#listener?.(end, this);
    for (const listener of listeners) listener(end, this);
  }
}
