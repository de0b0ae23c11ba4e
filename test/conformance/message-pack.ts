import { demand } from "./refused.ts";

// MessagePack as docs/WIRE-PROTOCOL.md, "Bodies", takes it: one form for each value.

/** One value. Integers are bigints, so that none is rounded; floats are their eight bytes. */
export type Item =
  | { readonly kind: "nil" }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly bytes: Buffer }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Buffer }
  | { readonly kind: "array"; readonly items: readonly Item[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [string, Item])[] }
  | { readonly kind: "registered"; readonly id: number; readonly fields: Item };

const REFUSED = 4019;
const MAX_SAFE = 2n ** 53n - 1n;
const BIGINT = 1;

/** Bytes that are read from the front. */
class Input {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    demand(length <= this.left, REFUSED, `${length} bytes declared, ${this.left} left`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** A number of `size` bytes that would not have fitted into fewer. */
  length(size: 1 | 2 | 4, least: number): number {
    const value = this.take(size).readUIntBE(0, size);
    demand(value >= least, REFUSED, "not the shortest form");
    return value;
  }
}

/** Counts values over the whole of the bytes. */
interface Count {
  values: number;
}

/** The one value that `bytes` hold. */
export function readItem(bytes: Buffer): Item {
  return readWhole(bytes, 0, { values: 0 });
}

function readWhole(bytes: Buffer, depth: number, count: Count): Item {
  const input = new Input(bytes);
  const item = readOne(input, depth, count);
  demand(input.left === 0, REFUSED, "bytes behind the value");
  return item;
}

function readOne(input: Input, depth: number, count: Count, isWide = false): Item {
  count.values += 1;
  demand(count.values <= 1_000_000, REFUSED, "too many values");
  const first = input.take(1).readUInt8();
  if (first === 0xc0) return { kind: "nil" };
  if (first === 0xc2 || first === 0xc3) return { kind: "boolean", value: first === 0xc3 };
  if (first === 0xcb) return { kind: "float", bytes: requireFloat(input.take(8)) };
  const integer = integerOf(first, input);
  if (integer !== undefined) {
    const isSafe = integer >= -MAX_SAFE && integer <= MAX_SAFE;
    demand(isSafe || isWide, REFUSED, "an integer outside the safe range");
    return { kind: "integer", value: integer };
  }
  return textOrBytes(first, input) ?? containerOf(first, input, { depth, count });
}

function requireFloat(bytes: Buffer): Buffer {
  const value = bytes.readDoubleBE();
  const isNaNForm = !Number.isNaN(value) || bytes.toString("hex") === "7ff8000000000000";
  demand(isNaNForm, REFUSED, "another NaN");
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  demand(!isInteger, REFUSED, "an integer as a float");
  return bytes;
}

/** First byte, size, signed or not, and the range that has a shorter form. */
const INTEGERS: Readonly<
  Record<number, readonly [size: number, signed: boolean, isShortest: (v: bigint) => boolean]>
> = {
  204: [1, false, (v) => v >= 0x80n],
  205: [2, false, (v) => v >= 0x100n],
  206: [4, false, (v) => v >= 0x1_0000n],
  207: [8, false, (v) => v >= 0x1_0000_0000n],
  208: [1, true, (v) => v < -0x20n],
  209: [2, true, (v) => v < -0x80n],
  210: [4, true, (v) => v < -0x8000n],
  211: [8, true, (v) => v < -0x8000_0000n],
};

function integerOf(first: number, input: Input): bigint | undefined {
  if (first <= 0x7f) return BigInt(first);
  if (first >= 0xe0) return BigInt(first - 0x100);
  const form = INTEGERS[first];
  if (form === undefined) return undefined;
  const [size, signed, isShortest] = form;
  const unsigned = BigInt(`0x${input.take(size).toString("hex")}`);
  const value = signed ? BigInt.asIntN(8 * size, unsigned) : unsigned;
  demand(isShortest(value), REFUSED, "not the shortest form");
  return value;
}

function textOrBytes(first: number, input: Input): Item | undefined {
  if (first >= 0xa0 && first <= 0xbf) return text(input.take(first & 0x1f));
  if (first === 0xd9) return text(input.take(input.length(1, 32)));
  if (first === 0xda) return text(input.take(input.length(2, 0x100)));
  if (first === 0xdb) return text(input.take(input.length(4, 0x1_0000)));
  if (first === 0xc4) return { kind: "bytes", value: input.take(input.length(1, 0)) };
  if (first === 0xc5) return { kind: "bytes", value: input.take(input.length(2, 0x100)) };
  if (first === 0xc6) return { kind: "bytes", value: input.take(input.length(4, 0x1_0000)) };
  return undefined;
}

function text(bytes: Buffer): Item {
  const value = bytes.toString("utf8");
  demand(Buffer.from(value, "utf8").equals(bytes), REFUSED, "not UTF-8");
  return { kind: "text", value };
}

interface Place {
  readonly depth: number;
  readonly count: Count;
}

function containerOf(first: number, input: Input, { depth, count }: Place): Item {
  demand(depth < 32, REFUSED, "more than 32 levels");
  const inside = { depth: depth + 1, count };
  if (first >= 0x90 && first <= 0x9f) return array(first & 0x0f, input, inside);
  if (first === 0xdc) return array(input.length(2, 16), input, inside);
  if (first === 0xdd) return array(input.length(4, 0x1_0000), input, inside);
  if (first >= 0x80 && first <= 0x8f) return map(first & 0x0f, input, inside);
  if (first === 0xde) return map(input.length(2, 16), input, inside);
  if (first === 0xdf) return map(input.length(4, 0x1_0000), input, inside);
  return registered(extensionLength(first, input), input, inside);
}

function array(length: number, input: Input, { depth, count }: Place): Item {
  demand(length <= input.left, REFUSED, "an array longer than what is left");
  return { kind: "array", items: Array.from({ length }, () => readOne(input, depth, count)) };
}

function map(length: number, input: Input, { depth, count }: Place): Item {
  demand(2 * length <= input.left, REFUSED, "a map longer than what is left");
  const entries: (readonly [string, Item])[] = [];
  for (let index = 0; index < length; index++) {
    const key = readOne(input, depth, count);
    demand(key.kind === "text", REFUSED, "a key that is no string");
    const last = entries.at(-1)?.[0];
    demand(last === undefined || last < key.value, REFUSED, "keys out of order");
    demand(key.value !== "__proto__", REFUSED, "the key __proto__");
    entries.push([key.value, readOne(input, depth, count)]);
  }
  return { kind: "map", entries };
}

function extensionLength(first: number, input: Input): number {
  if (first >= 0xd4 && first <= 0xd8) return 2 ** (first - 0xd4);
  demand(first >= 0xc7 && first <= 0xc9, REFUSED, `first byte ${first}`);
  const length = [
    input.length.bind(input, 1, 0),
    input.length.bind(input, 2, 0x100),
    input.length.bind(input, 4, 0x1_0000),
  ][first - 0xc7]?.();
  demand(length !== undefined && ![1, 2, 4, 8, 16].includes(length), REFUSED, "not the shortest form");
  return length;
}

function registered(length: number, input: Input, { depth, count }: Place): Item {
  demand(input.take(1).readInt8() === 1, REFUSED, "an extension of another code");
  const body = new Input(input.take(length));
  demand(body.left > 0 && body.take(1).readUInt8() === 0x92, REFUSED, "no array of two");
  const id = readOne(body, depth, { values: 0 });
  demand(id.kind === "integer" && id.value > 0n && id.value <= 0xffffn, REFUSED, "no type id");
  const fields = readOne(body, depth, count, Number(id.value) === BIGINT);
  demand(body.left === 0, REFUSED, "bytes behind the fields");
  return { kind: "registered", id: Number(id.value), fields };
}

/** What headers are written from: fixed positions. */
export type Plain = null | boolean | number | string | Uint8Array | readonly Plain[];

/** The bytes of an array of fixed positions. */
export function writePlain(value: Plain): Buffer {
  if (value === null) return Buffer.of(0xc0);
  if (typeof value === "boolean") return Buffer.of(value ? 0xc3 : 0xc2);
  if (typeof value === "number") return writeInteger(BigInt(value));
  if (typeof value === "string") return writeText(value);
  if (value instanceof Uint8Array) return Buffer.concat([head([0xc4, 0xc5, 0xc6], value.length), value]);
  return Buffer.concat([arrayHead(value.length), ...value.map(writePlain)]);
}

/** An integer in its shortest form. */
export function writeInteger(value: bigint): Buffer {
  if (value >= -0x20n && value <= 0x7fn) return Buffer.of(Number(BigInt.asUintN(8, value)));
  const firsts = value >= 0n ? [0xcc, 0xcd, 0xce, 0xcf] : [0xd0, 0xd1, 0xd2, 0xd3];
  const index = [8, 16, 32, 64].findIndex(
    (bits) => (value >= 0n ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value)) === value,
  );
  const size = 2 ** index;
  const hex = BigInt.asUintN(8 * size, value)
    .toString(16)
    .padStart(2 * size, "0");
  return Buffer.concat([Buffer.of(firsts[index] ?? 0), Buffer.from(hex, "hex")]);
}

/** A string in its shortest form. */
export function writeText(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  const begin = bytes.length < 32 ? Buffer.of(0xa0 + bytes.length) : head([0xd9, 0xda, 0xdb], bytes.length);
  return Buffer.concat([begin, bytes]);
}

/** The head of an array. */
export function arrayHead(length: number): Buffer {
  return length < 16 ? Buffer.of(0x90 + length) : head([undefined, 0xdc, 0xdd], length);
}

/** The head of a map. */
export function mapHead(length: number): Buffer {
  return length < 16 ? Buffer.of(0x80 + length) : head([undefined, 0xde, 0xdf], length);
}

/** The extension of a registered type. */
export function writeRegistered(id: number, fields: Buffer): Buffer {
  const body = Buffer.concat([Buffer.of(0x92), writeInteger(BigInt(id)), fields]);
  const fixed = [1, 2, 4, 8, 16].indexOf(body.length);
  const begin = fixed >= 0 ? Buffer.of(0xd4 + fixed) : head([0xc7, 0xc8, 0xc9], body.length);
  return Buffer.concat([begin, Buffer.of(1), body]);
}

function head([one, two, four]: readonly [number | undefined, number, number], length: number): Buffer {
  const bytes = Buffer.alloc(length <= 0xff && one !== undefined ? 2 : length <= 0xffff ? 3 : 5);
  bytes[0] = bytes.length === 2 ? (one ?? 0) : bytes.length === 3 ? two : four;
  bytes.writeUIntBE(length, 1, bytes.length - 1);
  return bytes;
}
