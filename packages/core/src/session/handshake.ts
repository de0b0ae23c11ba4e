import type { Bytes } from "../bytes/index.ts";
import { concatBytes } from "../bytes/index.ts";
import { readError } from "../envelope/index.ts";
import { WireError } from "../errors/index.ts";
import type { CryptoProvider, SigningKey, VerifyingKey } from "../platform/index.ts";
import {
  FRAME_KIND,
  type Frame,
  type HandshakeState,
  labelled,
  MAX_HANDSHAKE_BYTES,
  type RecordLimits,
  RecordReceiver,
  RecordSender,
  readFrame,
  writeFrame,
} from "../wire/index.ts";
import type { Deadline, FrameChannel } from "./frame-channel.ts";
import { LONGEST_RETURN_MS } from "./pace.ts";

/** Kinds of the three handshake frames. */
export type HandshakeKind =
  | typeof FRAME_KIND.handshake1
  | typeof FRAME_KIND.handshake2
  | typeof FRAME_KIND.handshake3;

/** Whose signature: the label that it stands under. */
export type Signer = "server" | "client";

/** What a signature in a handshake covers. */
export interface ToSign {
  /** h after the tokens. */
  readonly hash: Bytes;
  /** P: the payload without its signature. */
  readonly part: Bytes;
  /** SHA-256 of P, where it is known. */
  readonly digest?: Bytes;
}

/** One handshake on one connection, for both sides. */
export class HandshakeExchange {
  readonly noise: HandshakeState;
  readonly #channel: FrameChannel;
  readonly #deadline: Deadline;
  readonly #crypto: CryptoProvider;

  constructor(
    noise: HandshakeState,
    modules: { readonly channel: FrameChannel; readonly deadline: Deadline; readonly crypto: CryptoProvider },
  ) {
    this.noise = noise;
    this.#channel = modules.channel;
    this.#deadline = modules.deadline;
    this.#crypto = modules.crypto;
  }

  /** Sends one message; `payload` is made from h after the tokens, which its signature covers. */
  async write(kind: HandshakeKind, payload: (hash: Bytes) => Promise<Bytes>): Promise<void> {
    const tokens = await this.noise.writeTokens();
    const sealed = await this.noise.writePayload(await payload(this.noise.hash));
    const frame = writeFrame(kind, { payload: concatBytes(tokens, sealed) });
    if (frame.byteLength > MAX_HANDSHAKE_BYTES) {
      throw new RangeError("a handshake frame has 65 535 bytes at most");
    }
    this.#channel.send(frame);
  }

  /**
   * The peer's next message. @returns its payload, and h as its signature covers it
   * @throws WireError; of a clear ERROR frame its code, as an unauthenticated hint
   */
  async read(kind: HandshakeKind): Promise<{ readonly payload: Bytes; readonly hash: Bytes }> {
    const frame = await this.#nextFrame();
    if (frame.kind === FRAME_KIND.error) throw hint(frame);
    // [W-20], [W-21]
    if (frame.kind !== kind || frame.header.byteLength !== 0 || frame.tag.byteLength !== 0) {
      throw new WireError(
        "ERR_FRAME_MALFORMED",
        `expected handshake message ${kind}, got a frame of kind ${frame.kind}`,
      );
    }
    const rest = await this.noise.readTokens(frame.payload);
    const { hash } = this.noise;
    return { payload: await this.noise.readPayload(rest), hash };
  }

  /** The frame after the handshake: WELCOME in SESSION, or why there is none. */
  async readSession(receiver: RecordReceiver): Promise<Frame> {
    const frame = await this.#nextFrame();
    if (frame.kind === FRAME_KIND.error) throw hint(frame);
    // [W-26]
    if (frame.kind !== FRAME_KIND.session) {
      throw new WireError(
        "ERR_FRAME_MALFORMED",
        `expected the session to begin, got a frame of kind ${frame.kind}`,
      );
    }
    return readFrame(await receiver.open(frame));
  }

  /** Signs S(signer, h ‖ SHA-256(P)). */
  async sign(signer: Signer, key: SigningKey, { hash, part, digest }: ToSign): Promise<Bytes> {
    const partDigest = digest ?? (await this.#crypto.sha256(part));
    return await this.#crypto.sign(key, labelled(signer, hash, partDigest));
  }

  /** @returns true when `signature` is that of `key` over S(signer, h ‖ SHA-256(P)) */
  async isSigned(
    signer: Signer,
    key: VerifyingKey,
    signed: { readonly hash: Bytes; readonly part: Bytes; readonly signature: Bytes },
  ): Promise<boolean> {
    const digest = await this.#crypto.sha256(signed.part);
    return await this.#crypto.verify(key, signed.signature, labelled(signer, signed.hash, digest));
  }

  /** Both directions of the session, from Split. */
  async records(limits: RecordLimits): Promise<SessionKeys> {
    const { send, receive, handshakeHash } = await this.noise.split();
    const modules = { crypto: this.#crypto };
    return {
      sender: new RecordSender(await this.#crypto.importAesGcmKey(send), modules, limits),
      receiver: new RecordReceiver(await this.#crypto.importAesGcmKey(receive), modules, limits),
      sid: handshakeHash,
    };
  }

  async #nextFrame(): Promise<Frame> {
    const bytes = await this.#deadline.race(this.#channel.next());
    if (bytes === undefined) {
      const { closeCode, reason } = await this.#channel.ended;
      throw new WireError(
        "ERR_CONNECTION_LOST",
        `the connection ended in the handshake: ${closeCode} ${reason}`,
      );
    }
    return readFrame(bytes, MAX_HANDSHAKE_BYTES); // [W-10]
  }
}

/** What Split yields. */
export interface SessionKeys {
  readonly sender: RecordSender;
  readonly receiver: RecordReceiver;
  /** Final h. */
  readonly sid: Bytes;
}

/** [W-29] an ERROR before the session is unauthenticated: it says when to try again, never what to offer. */
function hint(frame: Frame): WireError {
  const { code, detail, retryAfterMs = 0 } = readError(frame);
  const text = `the peer refused before it was authenticated: ${code}${detail === "" ? "" : `, ${detail}`}`;
  if (code === "ERR_BUSY" || code === "ERR_RATE_LIMITED" || code === "ERR_GOING_AWAY") {
    // Nobody has signed it: it may delay the next attempt, not put it off for an hour.
    return new WireError(code, text, { retryAfterMs: Math.min(retryAfterMs, LONGEST_RETURN_MS) });
  }
  return new WireError("ERR_AUTH_FAILED", text);
}
