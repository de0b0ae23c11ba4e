import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import type { CryptoProvider, SecretKey } from "../platform/index.ts";
import { openApart, sealInto, TAG_BYTES } from "./aead.ts";
import { counterNonce } from "./big-endian.ts";
import { FRAME_KIND, type Frame, MAX_FRAME_BYTES, PREFIX_BYTES, writePrefix } from "./frame.ts";
import { nextKey, REKEY_BYTES, writeRekey } from "./rekey.ts";

/** What encryption adds to an inner frame: prefix and tag. */
export const RECORD_OVERHEAD_BYTES: number = PREFIX_BYTES + TAG_BYTES;
/** Largest inner frame. */
export const MAX_INNER_FRAME_BYTES: number = MAX_FRAME_BYTES - RECORD_OVERHEAD_BYTES;

/** How much one key may encrypt, and for how long. */
export interface RecordLimits {
  /** SESSION frames under one key, its REKEY included; default 2^22, at least 2. */
  readonly frames: number;
  /** Bytes of inner frames under one key; default 64 GiB. */
  readonly bytes: number;
  /** Age at which a sender changes its key, ms; default one hour. */
  readonly ageMs: number;
}

/** The limits of protocol version 1. */
export const RECORD_LIMITS: RecordLimits = { frames: 2 ** 22, bytes: 64 * 2 ** 30, ageMs: 3_600_000 };

/** What a sender and a receiver of SESSION frames work with. */
export interface RecordModules {
  /** AES-256-GCM, and the import of the keys that follow. */
  readonly crypto: CryptoProvider;
}

/** One direction of a session: its key, what that has carried, and the counter, which outlives its keys. */
class RecordDirection {
  /** Of this direction. */
  protected readonly crypto: CryptoProvider;
  readonly #limits: RecordLimits;
  #key: SecretKey;
  /** Frames of this direction so far: n, never reset. */
  #counter = 0;
  #keyFrames = 0;
  #keyBytes = 0;

  /** @param key from the handshake; used by nothing else */
  constructor(key: SecretKey, modules: RecordModules, limits: RecordLimits = RECORD_LIMITS) {
    this.#key = key;
    this.#limits = limits;
    this.crypto = modules.crypto;
  }

  /** The session has ended: nothing is sealed or opened any more. */
  forget(): void {
    this.crypto.forgetAesGcmKey?.(this.#key);
  }

  /** The present key. */
  protected get key(): SecretKey {
    return this.#key;
  }

  /** True when a frame of so many bytes would leave no room for REKEY under this key. */
  protected isFull(innerBytes: number): boolean {
    const { frames, bytes } = this.#limits;
    return this.#keyFrames + 1 >= frames || this.#keyBytes + innerBytes + REKEY_BYTES > bytes;
  }

  /** The nonce of the next frame; no counter is ever used twice. */
  protected nextNonce(innerBytes: number): Bytes {
    // [W-33] a key past its limits encrypts and decrypts nothing more
    if (this.#keyFrames >= this.#limits.frames || this.#keyBytes + innerBytes > this.#limits.bytes) {
      throw new WireError("ERR_GOING_AWAY", "a key of this session has carried all that it may");
    }
    const nonce = counterNonce(this.#counter);
    this.#counter += 1;
    this.#keyFrames += 1;
    this.#keyBytes += innerBytes;
    return nonce;
  }

  /** Takes the next key and counts anew. */
  protected async changeKey(): Promise<void> {
    this.#key = await nextKey(this.#key, this.crypto);
    this.#keyFrames = 0;
    this.#keyBytes = 0;
  }
}

/** Encrypts inner frames into SESSION frames, in the order of the calls. */
export class RecordSender extends RecordDirection {
  /** True when {@link rekey} must come before a frame whose inner frame has so many bytes. */
  isRekeyDue(innerBytes: number): boolean {
    return this.isFull(innerBytes);
  }

  /**
   * The last frame under the present key: REKEY. What is sealed after it is under the next one; nothing may be sealed
   * until the promise has settled.
   */
  async rekey(): Promise<Bytes> {
    const frame = await this.seal(writeRekey());
    await this.changeKey();
    return frame;
  }

  /**
   * One SESSION frame around an inner frame, in one allocation. Frames must leave in the order of the calls.
   * @param parts of the inner frame, in order: a chunk need not be copied behind its header
   * @throws WireError `ERR_GOING_AWAY` when the key has reached its limits
   */
  async seal(...parts: readonly Bytes[]): Promise<Bytes> {
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (length > MAX_INNER_FRAME_BYTES) throw new RangeError(`inner frame of ${length} bytes`);
    const iv = this.nextNonce(length);
    const frame = new Uint8Array(RECORD_OVERHEAD_BYTES + length);
    writePrefix(frame, FRAME_KIND.session, { header: 0, tag: TAG_BYTES, payload: length });
    await sealInto(this.crypto, this.key, {
      iv,
      aad: frame.subarray(0, PREFIX_BYTES),
      parts,
      ciphertext: frame.subarray(RECORD_OVERHEAD_BYTES),
      tag: frame.subarray(PREFIX_BYTES, RECORD_OVERHEAD_BYTES),
    });
    return frame;
  }
}

/** Decrypts SESSION frames; each must be exactly the next one. */
export class RecordReceiver extends RecordDirection {
  /** REKEY came: only frames under the next key are opened from now on. */
  async rekey(): Promise<void> {
    await this.changeKey();
  }

  /**
   * The inner frame. After an error nothing more may be opened: the session is over.
   * @param inPlace true: the inner frame may take the place of the ciphertext, which nobody else reads
   * @throws WireError `ERR_FRAME_MALFORMED`, `ERR_GOING_AWAY`, or `ERR_SEQUENCE_GAP` when it does not authenticate at
   *   this position: altered, replayed, out of order, or one before it is missing
   */
  async open(frame: Frame, inPlace = false): Promise<Bytes> {
    // [W-31]
    if (frame.header.byteLength !== 0 || frame.tag.byteLength !== TAG_BYTES) {
      throw new WireError("ERR_FRAME_MALFORMED", "a SESSION frame has no header and a tag of 16 bytes");
    }
    const inner = await openApart(this.crypto, this.key, {
      iv: this.nextNonce(frame.payload.byteLength),
      aad: frame.prefix,
      ciphertext: frame.payload,
      tag: frame.tag,
      inPlace,
    });
    // [W-32]
    if (inner === undefined) {
      throw new WireError("ERR_SEQUENCE_GAP", "a frame does not authenticate at its position");
    }
    return inner;
  }
}
