import { type Bytes, concatBytes, utf8 } from "@photinus/core/bytes";

const WIRE_VARINT = 0;
const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

/** Collects the fields of one protobuf message; the parts are copied once, by {@link ProtoWriter.finish}. */
export class ProtoWriter {
  readonly #parts: Uint8Array[] = [];
  #byteLength = 0;

  /** A field of an integer; negative ones take ten bytes, as int64 does. */
  integer(field: number, value: number): void {
    this.#append(varint(BigInt(field * 8 + WIRE_VARINT)));
    this.#append(varint(BigInt.asUintN(64, BigInt(value))));
  }

  /** A field of a 32-bit float. */
  float(field: number, value: number): void {
    this.#append(varint(BigInt(field * 8 + WIRE_FIXED32)));
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#append(bytes);
  }

  /** A field of bytes, which are kept until {@link finish} and must not change before. */
  bytes(field: number, value: Uint8Array): void {
    this.#append(varint(BigInt(field * 8 + WIRE_BYTES)));
    this.#append(varint(BigInt(value.byteLength)));
    this.#append(value);
  }

  /** A field of text, as UTF-8. */
  text(field: number, value: string): void {
    this.bytes(field, utf8(value));
  }

  /** A field that is a message of its own, filled by `write`. */
  message(field: number, write: (nested: ProtoWriter) => void): void {
    const nested = new ProtoWriter();
    write(nested);
    this.#append(varint(BigInt(field * 8 + WIRE_BYTES)));
    this.#append(varint(BigInt(nested.#byteLength)));
    for (const part of nested.#parts) this.#append(part);
  }

  /** The message. */
  finish(): Bytes {
    return concatBytes(...this.#parts);
  }

  #append(part: Uint8Array): void {
    this.#parts.push(part);
    this.#byteLength += part.byteLength;
  }
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
