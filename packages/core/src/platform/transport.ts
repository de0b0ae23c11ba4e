import type { Bytes } from "../bytes/index.ts";

/** Why a connection ended. */
export interface ConnectionEnd {
  /** WebSocket close code, or 1006 when the peer vanished without one. */
  readonly closeCode: number;
  /** Text of the closing side, at most 123 bytes of UTF-8; a hint, never authenticated. */
  readonly reason: string;
}

/** Hears of what a connection brings. */
export interface ConnectionFollower {
  /** There may be frames to take, or no more of them will come. */
  framesCame(): void;
  /** The connection has ended; what came before can still be taken. */
  connectionEnded(end: ConnectionEnd): void;
}

/** The frames of a connection, for a reader that is told when some have come. */
export interface FrameSource {
  /** True when there is no frame and none will come. */
  readonly isOver: boolean;
  /** The next frame; `undefined` while there is none. */
  take(): Bytes | undefined;
}

/**
 * One ordered, reliable, message-framed connection: a WebSocket, a pair in memory, a MessageChannel.
 * It carries frames and knows nothing of their content.
 */
export interface Connection {
  /** Address of the peer for logs and rate limits; never an identity. */
  readonly remoteAddress: string | undefined;
  /** Bytes handed to {@link send} that have not left yet. */
  readonly bufferedBytes: number;
  /**
   * Incoming frames in order, each one message, each plain {@link Bytes} that the receiver may keep. Consumed
   * once. Not reading it pauses the peer where the transport can. It ends when the connection does.
   */
  readonly frames: AsyncIterable<Bytes>;
  /** True: nobody else holds the memory of a frame that was read, so its reader may write to it. Default false. */
  readonly ownsFrames?: boolean;
  /** Frees the memory of a frame that was read or sent and is used no more; absent: the garbage collector does. */
  readonly release?: (frame: Bytes) => void;
  /**
   * Reads the frames in place of {@link frames}, where the transport can, without a promise for each and for the end: a
   * server waits for thousands of peers that say nothing. Called once.
   */
  readonly follow?: (follower: ConnectionFollower) => FrameSource;
  /** Settles, never rejects, when the connection has ended. */
  readonly ended: Promise<ConnectionEnd>;
  /**
   * Queues one frame; a no-op once the connection has ended. The bytes are not changed, and must not be until
   * `onSent` is called: never, where the transport cannot tell.
   */
  send(frame: Bytes, onSent?: () => void): void;
  /** Resolves when `bufferedBytes` is below the transport's low-water mark (1 MiB), or the connection ended. */
  drained(): Promise<void>;
  /** Starts an orderly close; `closeCode` is 1000 or 4000-4999. */
  close(closeCode: number, reason: string): void;
}

/** Opens connections to one server. */
export interface Connector {
  /** @throws WireError `ERR_CONNECTION_REFUSED` when no connection comes about, with what answered instead */
  connect(signal: AbortSignal): Promise<Connection>;
}
