import type { Bytes } from "../bytes/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import type { ErrorCode } from "../errors/index.ts";
import type { MessageDefinition } from "../message/index.ts";
import type { Participant } from "../pki/index.ts";
import type { Awaitable } from "../platform/index.ts";
import type { BlobChunk, BlobFrames, StreamManifest, StreamSink, StreamSource } from "../stream/index.ts";

/** Why a session ended. */
export interface SessionEnd {
  /** Code of the fault, or `ERR_GOING_AWAY` for an orderly end. */
  readonly code: ErrorCode;
  /** True when this side ended it. */
  readonly local: boolean;
  /** For people; never authenticated when the session had not begun. */
  readonly detail: string;
  /** ms after which the peer wants to be asked again, where it named a time. */
  readonly retryAfterMs?: number | undefined;
  /** WebSocket close code of a connection that ended without a word in the session; a hint, never authenticated. */
  readonly closeCode?: number;
}

/** Hears that a session has ended, and which; must not throw. */
export type SessionEndListener = (end: SessionEnd, session: Session) => void;

/** Where a received message came from, beside its body. */
export interface ReceivedMessage {
  /** 16 bytes. */
  readonly messageId: Bytes;
  /** Message that this one answers. */
  readonly inReplyTo: Bytes | undefined;
  /** Job or round that it belongs to. */
  readonly scope: string | undefined;
  /** The author, from its certificate. */
  readonly from: Participant;
  /** Sender's time, ms since 1970; checked for SIGNED, absent for MESSAGE. */
  readonly issuedAt: number | undefined;
  /** SHA-256 of the payload when it was SIGNED: the same each time the message is sent again. */
  readonly payloadDigest: Bytes | undefined;
  /** The frame as received when it was SIGNED: header and signature are the proof that can be stored. */
  readonly signedFrame: Bytes | undefined;
}

/** Options of a message to send. */
export interface SendOptions {
  /** Message that this one answers: 16 bytes. */
  readonly inReplyTo?: Bytes;
  /** Job or round that it belongs to. */
  readonly scope?: string;
  /** Fixed id, when the message may be sent again; random otherwise. 16 bytes. */
  readonly messageId?: Bytes;
}

/** A message kind and what to do with it; made by {@link on}. */
export interface MessageRoute {
  /** The kind of message. */
  readonly definition: MessageDefinition<unknown>;
  /** Called with what the schema proved. */
  readonly handle: (body: unknown, message: ReceivedMessage, session: Session) => Awaitable<void>;
}

/** Binds a handler to a message kind; the body it gets is the one that the schema proved. */
export function on<Body>(
  definition: MessageDefinition<Body>,
  handle: (body: Body, message: ReceivedMessage, session: Session) => Awaitable<void>,
): MessageRoute {
  return { definition, handle: (body, message, session) => handle(definition.parse(body), message, session) };
}

/** Routes by the type of their message. */
export type RouteTable = ReadonlyMap<number, MessageRoute>;

/**
 * A table that many sessions share.
 * @throws TypeError when two routes are for one type
 */
export function routeTable(routes: readonly MessageRoute[]): RouteTable {
  const table = new Map(routes.map((route) => [route.definition.type, route]));
  if (table.size !== routes.length) throw new TypeError("two routes for one type of message");
  return table;
}

/** The peer's answer to a message that it did not take. */
export interface Refusal {
  /** Why. */
  readonly code: ErrorCode;
  /** Id of the message that was refused. */
  readonly inReplyTo: Bytes;
  /** ms after which another attempt may succeed, when the peer names a time. */
  readonly retryAfterMs: number | undefined;
  /** For people. */
  readonly detail: string;
}

/** What a side does with what arrives. A message without a route is refused with `ERR_TYPE_UNKNOWN`. */
export interface SessionHandler {
  /** What is understood; as a table where many sessions share it. */
  readonly routes: readonly MessageRoute[] | RouteTable;
  /** A signed object arrived and verified (signer's chain, audience, times, replay). Absent: objects are refused. */
  readonly onObject?: (object: VerifiedObject, session: Session) => Awaitable<void>;
  /** A chunk of a sealed blob arrived; its digest is checked against the publication by the receiver. Absent: refused. */
  readonly onBlobChunk?: (chunk: BlobChunk, session: Session) => Awaitable<void>;
  /** The peer refused a message of ours and the session goes on. Absent: it is logged. */
  readonly onRefused?: (refusal: Refusal, session: Session) => Awaitable<void>;
}

/**
 * An authenticated, encrypted session with one peer, from WELCOME on. Handlers run one after another in order of
 * arrival; a handler that throws a PhotinusError with action "close" ends the session, any other refusal is answered by
 * an ERROR frame in reply to the message and the session goes on.
 */
export interface Session {
  /** The final handshake hash: 32 bytes. */
  readonly id: Bytes;
  /** What this session may do: "full", only enrolment, or only hear a challenge. */
  readonly scope: "full" | "enrol" | "challenge";
  /** Who this side is. */
  readonly self: Participant;
  /** Who the other side is, from its certificate. */
  readonly peer: Participant;
  /** Server clock minus local clock in ms, as WELCOME told (0 at the server). */
  readonly clockOffsetMs: number;
  /** Time over which the clients of this server spread when all lose it at once, ms, as it told last (0 at the server). */
  readonly returnMs: number;
  /** Settles, never rejects, when the session has ended. */
  readonly ended: Promise<SessionEnd>;
  /**
   * Calls when the session has ended, at once when it has. For whoever watches thousands of sessions: a promise with what
   * waits for it is ten times the memory of a function that all share.
   */
  whenEnded(listener: SessionEndListener): void;
  /** Aborted when the session has ended; its reason is the WireError. */
  readonly signal: AbortSignal;
  /** Bytes sent and received on the connection so far. */
  readonly traffic: { readonly sentBytes: number; readonly receivedBytes: number };

  /**
   * The last CHECKPOINT of the peer that verified, a whole frame; `undefined` before the first. Whoever keeps it can show
   * what the peer's messages up to then hash to, signed by its key.
   */
  readonly evidence: Bytes | undefined;

  /** Begins to hand out what arrives; called exactly once. Frames wait until then. */
  receive(handler: SessionHandler): void;
  /** Sends one message, SIGNED or MESSAGE as its definition says. @returns its id. @throws WireError when the session has ended */
  send<Body>(definition: MessageDefinition<Body>, body: Body, options?: SendOptions): Promise<Bytes>;
  /** Sends an OBJECT that was sealed once; the signer's chain goes first when this session has not sent it yet. */
  sendObject(object: Bytes, signerChain: readonly Bytes[]): Promise<void>;
  /** Sends a sealed blob as BLOB frames, the same bytes to every socket, paced by the connection. */
  sendBlob(blob: { readonly frames: BlobFrames }, signal?: AbortSignal): Promise<void>;
  /**
   * Sends the chunks of a stream whose manifest went in a signed message before, under the credit that the receiver
   * grants. Resolves when the last chunk has left; the receiver's answer is a message of its own.
   */
  sendStream(manifest: StreamManifest, source: StreamSource, signal?: AbortSignal): Promise<void>;
  /**
   * Grants credit for an announced stream and resolves when every chunk arrived and matched its leaf. Chunks of a
   * stream that was not accepted end the session: no credit was granted for them.
   * @throws EnvelopeError `ERR_DIGEST_MISMATCH`, or the signal's reason (the rest of the stream is then ignored)
   */
  acceptStream(manifest: StreamManifest, sink: StreamSink, signal?: AbortSignal): Promise<void>;
  /**
   * Ends the session in order: the peer is told the code and a detail for people. With `ERR_SUPERSEDED` what the peer
   * sent before and no handler has begun has no effect any more. Idempotent.
   * @param retryAfterMs when the peer may come back; a server names a time of its own for `ERR_GOING_AWAY`, `ERR_BUSY`
   *   and `ERR_RATE_LIMITED`
   */
  close(code: ErrorCode, detail?: string, retryAfterMs?: number): Promise<void>;
}
