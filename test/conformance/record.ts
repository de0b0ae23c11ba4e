import { type Frame, prefixOf, readFrame, writeFrame } from "./frame.ts";
import { nonce } from "./noise.ts";
import { open, seal } from "./primitives.ts";
import { demand } from "./refused.ts";

const SESSION = 5;
const REKEY = 9;

/** One direction of a session. */
export class Records {
  #key: Buffer;
  #counter = 0;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** A SESSION frame around an inner frame; REKEY changes the key behind itself. */
  seal(inner: Buffer): Buffer {
    const prefix = prefixOf(SESSION, 0, 16, inner.length);
    const sealed = seal(this.#key, nonce(this.#counter++), inner, prefix);
    const frame = writeFrame(SESSION, { tag: sealed.subarray(-16), payload: sealed.subarray(0, -16) });
    this.#follow(readFrame(inner));
    return frame;
  }

  /** The inner frame of a SESSION frame: [W-31], [W-32]. */
  open(frame: Frame): { readonly bytes: Buffer; readonly frame: Frame } {
    demand(
      frame.kind === SESSION && frame.header.length === 0 && frame.tag.length === 16,
      4000,
      "no SESSION",
    );
    const sealed = Buffer.concat([frame.payload, frame.tag]);
    const bytes = open(this.#key, nonce(this.#counter++), sealed, frame.prefix);
    demand(bytes !== undefined, 4014, "not the next frame");
    const inner = readFrame(bytes);
    this.#follow(inner);
    return { bytes, frame: inner };
  }

  #follow({ kind }: Frame): void {
    if (kind !== REKEY) return;
    const iv = Buffer.concat([Buffer.alloc(4), Buffer.alloc(8, 0xff)]);
    this.#key = seal(this.#key, iv, Buffer.alloc(32), Buffer.alloc(0)).subarray(0, 32);
  }
}
