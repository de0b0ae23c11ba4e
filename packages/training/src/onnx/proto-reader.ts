import { TrainingError } from "@photinus/core/errors";

/** How a field is encoded (Protocol Buffers encoding, "Message structure"). */
export type WireType = "varint" | "fixed64" | "bytes" | "fixed32";

const WIRE_TYPES: readonly (WireType | undefined)[] = [
  "varint",
  "fixed64",
  "bytes",
  undefined,
  undefined,
  "fixed32",
];

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads the fields of one protobuf message out of a range of bytes; nested messages are views, never copies. */
export class ProtoReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #offset = 0;
  /** Number of the field that {@link next} found. */
  field = 0;
  /** Encoding of the field that {@link next} found. */
  wireType: WireType = "varint";

  /** @param bytes the message, without its length; kept, not changed */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves to the next field. @returns false at the end of the message */
  next(): boolean {
    if (this.#offset >= this.#bytes.byteLength) return false;
    const key = this.unsigned();
    const wireType = WIRE_TYPES[key % 8];
    this.field = Math.floor(key / 8);
    if (wireType === undefined || this.field === 0 || this.field > 0x1fff_ffff) malformed("bad field key");
    this.wireType = wireType;
    return true;
  }

  /** True while there are bytes left; ends the loop over a packed list. */
  get hasMore(): boolean {
    return this.#offset < this.#bytes.byteLength;
  }

  /** A varint below 2^53. */
  unsigned(): number {
    const value = this.bits64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) malformed("integer out of range");
    return Number(value);
  }

  /** A signed varint (int32, int64) of at most 53 bits. */
  integer(): number {
    const value = BigInt.asIntN(64, this.bits64());
    const number = Number(value);
    if (!Number.isSafeInteger(number)) malformed("integer out of range");
    return number;
  }

  /**
   * As {@link integer}, but the ends of int64, which exporters write for "to the end" of a list, become those of the
   * integers that numbers can hold.
   */
  openInteger(): number {
    const value = BigInt.asIntN(64, this.bits64());
    if (value === 2n ** 63n - 1n) return Number.MAX_SAFE_INTEGER;
    if (value === -(2n ** 63n)) return Number.MIN_SAFE_INTEGER;
    if (!Number.isSafeInteger(Number(value))) malformed("integer out of range");
    return Number(value);
  }

  /** The 64 bits of a varint. */
  bits64(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return BigInt(low); // nearly every varint of a model ends here
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return malformed("varint of more than ten bytes");
  }

  /** A little-endian float of 32 bits. */
  float(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  /** A little-endian float of 64 bits. */
  double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** A length-delimited field: a view of its bytes. */
  bytes(): Uint8Array<ArrayBuffer> {
    if (this.wireType !== "bytes") malformed(`field ${this.field} is not length-delimited`);
    const length = this.unsigned();
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A nested message. */
  message(): ProtoReader {
    return new ProtoReader(this.bytes());
  }

  /** UTF-8 of at most `maxBytes`. */
  text(maxBytes: number): string {
    const bytes = this.bytes();
    if (bytes.byteLength > maxBytes) malformed(`text of ${bytes.byteLength} bytes, at most ${maxBytes}`);
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new TrainingError("ERR_MODEL_MALFORMED", "text is not UTF-8", { cause });
    }
  }

  /** Passes over the field that {@link next} found. */
  skip(): void {
    switch (this.wireType) {
      case "varint":
        this.bits64();
        return;
      case "fixed64":
        this.#advance(8);
        return;
      case "bytes":
        this.bytes();
        return;
      case "fixed32":
        this.#advance(4);
        return;
    }
  }

  #byte(): number {
    return this.#bytes[this.#advance(1)] ?? 0;
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.#bytes.byteLength - start) malformed("the file ends inside a field");
    this.#offset = start + length;
    return start;
  }
}

/** @throws TrainingError `ERR_MODEL_MALFORMED` */
export function malformed(what: string): never {
  throw new TrainingError("ERR_MODEL_MALFORMED", `not a valid ONNX model: ${what}`);
}

/**
 * The numbers of a repeated field: one of them, or all of them packed (both are legal for every repeated number).
 * @throws TrainingError `ERR_MODEL_TOO_LARGE` above `limit` numbers
 */
export function readNumbers(
  reader: ProtoReader,
  into: number[],
  { read, limit }: { read: (reader: ProtoReader) => number; limit: number },
): void {
  const packed = reader.wireType === "bytes" ? reader.message() : undefined;
  do {
    if (packed !== undefined && !packed.hasMore) return;
    into.push(read(packed ?? reader));
    if (into.length > limit)
      throw new TrainingError("ERR_MODEL_TOO_LARGE", `list of more than ${limit} numbers`);
  } while (packed !== undefined);
}
