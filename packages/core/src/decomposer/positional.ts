import { type Bytes, utf8 } from "../bytes/index.ts";
import { DecomposerError } from "../errors/index.ts";
import { TokenReader } from "./token-reader.ts";
import { TokenWriter } from "./token-writer.ts";

/** What {@link writePositional} takes. `null` and `undefined` are nil; numbers are safe integers or float64. */
export type PositionalValue =
  | null
  | undefined
  | boolean
  | number
  | string
  | Uint8Array
  | readonly PositionalValue[];

/** Deepest nesting that is written or read: lists in lists in a header. */
const MAX_DEPTH = 8;

/**
 * Reads an array of fixed positions: headers and everything before a session. Each call of `read` on the reader takes
 * the next position. Refused are: another number of positions than `read` takes, another kind, a longer form than
 * the shortest, values out of bounds, bytes after the array.
 *
 * @param bytes not kept: byte strings in the result are copies
 * @param read takes the positions in order from its argument and returns what they mean
 * @throws DecomposerError `ERR_DECODE_REFUSED` naming the position
 * @example readPositional(bytes, (r) => ({ version: r.uint(255), from: r.text(128), sid: r.bin(32) }))
 */
export function readPositional<T>(bytes: Bytes, read: (reader: PositionalReader) => T): T {
  const path: number[] = [];
  const tokens = new TokenReader(bytes, () => `position ${path.join(".")}`);
  const reader = new PositionalReader(tokens, path);
  const value = reader.tuple(() => read(reader));
  tokens.end();
  return value;
}

/** Takes the positions of one array, in order; see {@link readPositional}. */
export class PositionalReader {
  readonly #tokens: TokenReader;
  /** Positions from the outermost array to the innermost one that is being read. */
  readonly #path: number[];
  /** Positions left in the innermost array; 1 before the outermost, which is a value itself. */
  #left = 1;

  /** Made by {@link readPositional}. */
  constructor(tokens: TokenReader, path: number[]) {
    this.#tokens = tokens;
    this.#path = path;
  }

  /** An integer from `min` (default 0) to `max`, both safe and included. */
  uint(max: number = Number.MAX_SAFE_INTEGER, min = 0): number {
    return this.int(min, max);
  }

  /** An integer from `min` to `max`, both safe and included. */
  int(min: number, max: number): number {
    this.#next();
    const value = this.#tokens.integer();
    if (typeof value === "bigint" || value < min || value > max) {
      this.#tokens.refuse(`an integer from ${min} to ${max} expected, got ${value}`);
    }
    return value;
  }

  /** Any number but NaN and the infinities. */
  finite(): number {
    this.#next();
    const value = this.#tokens.peek() === "integer" ? this.#tokens.integer() : this.#tokens.float();
    if (typeof value === "bigint" || !Number.isFinite(value)) this.#tokens.refuse("a finite number expected");
    return value;
  }

  /** True or false. */
  boolean(): boolean {
    this.#next();
    return this.#tokens.boolean();
  }

  /** A string of `minBytes` (default 0) to `maxBytes` bytes of UTF-8. */
  text(maxBytes: number, minBytes = 0): string {
    this.#next();
    const value = this.#tokens.text(maxBytes);
    // Each of its units is a byte or more.
    if (value.length < minBytes && utf8(value).byteLength < minBytes) {
      this.#tokens.refuse(`a string of at least ${minBytes} bytes expected`);
    }
    return value;
  }

  /** True, false, a finite number or a string of at most `maxBytes` bytes. */
  scalar(maxBytes: number): boolean | number | string {
    switch (this.#left > 0 ? this.#tokens.peek() : "nil") {
      case "boolean":
        return this.boolean();
      case "text":
        return this.text(maxBytes);
      default:
        return this.finite();
    }
  }

  /** One of the given strings. */
  oneOf<const Choice extends string>(choices: readonly Choice[]): Choice {
    const value = this.text(128);
    const choice = choices.find((each) => each === value);
    if (choice === undefined) this.#tokens.refuse(`one of ${choices.join(", ")} expected`);
    return choice;
  }

  /** A byte string of exactly `length` bytes, or, when that is `undefined`, of at most `maxBytes`; a copy. */
  bin(length: number): Bytes;
  bin(length: undefined, maxBytes: number): Bytes;
  bin(length: number | undefined, maxBytes: number = length ?? 0): Bytes {
    this.#next();
    const value = this.#tokens.bytes(maxBytes);
    if (length !== undefined && value.byteLength !== length) {
      this.#tokens.refuse(`${length} bytes expected, got ${value.byteLength}`);
    }
    return new Uint8Array(value);
  }

  /** `undefined` for nil, else what `read` takes. */
  nullable<T>(read: () => T): T | undefined {
    if (this.#left > 0 && this.#tokens.peek() === "nil") {
      this.#next();
      this.#tokens.nil();
      return undefined;
    }
    return read();
  }

  /** A list of `minCount` (default 0) to `maxCount` values, each taken by `read`. */
  array<T>(maxCount: number, read: (index: number) => T, minCount = 0): T[] {
    return this.#nested((count) => {
      if (count > maxCount || count < minCount) {
        this.#tokens.refuse(`${minCount} to ${maxCount} values expected, got ${count}`);
      }
      return Array.from({ length: count }, (_, index) => read(index));
    });
  }

  /** An array of fixed positions inside this one. */
  tuple<T>(read: () => T): T {
    return this.#nested(read);
  }

  #nested<T>(read: (count: number) => T): T {
    this.#next();
    if (this.#path.length >= MAX_DEPTH) this.#tokens.refuse(`more than ${MAX_DEPTH} levels`);
    const outer = this.#left;
    const count = this.#tokens.arrayLength();
    this.#left = count;
    this.#path.push(-1);
    const value = read(count);
    if (this.#left > 0) this.#tokens.refuse(`${count - this.#left} positions expected, got ${count}`);
    this.#path.pop();
    this.#left = outer;
    return value;
  }

  /** Moves to the next position of the innermost array. */
  #next(): void {
    if (this.#left === 0) this.#tokens.refuse("the array has too few positions");
    this.#left -= 1;
    const innermost = this.#path.length - 1;
    if (innermost >= 0) this.#path[innermost] = (this.#path[innermost] ?? -1) + 1;
  }
}

/**
 * The bytes of an array of fixed positions, as {@link readPositional} takes them: one encoding for one value.
 * @throws DecomposerError `ERR_ENCODE_REFUSED` for NaN, infinities, strings with lone surrogates, too deep lists
 */
export function writePositional(values: readonly PositionalValue[]): Bytes {
  const writer = new TokenWriter();
  writeValue(writer, values, 0);
  return writer.finish();
}

function writeValue(writer: TokenWriter, value: PositionalValue, depth: number): void {
  if (value === null || value === undefined) writer.nil();
  else if (typeof value === "boolean") writer.boolean(value);
  else if (typeof value === "number") writer.number(requireFinite(value));
  else if (typeof value === "string") writer.text(requireWellFormed(value));
  else if (value instanceof Uint8Array) writer.bytes(value);
  else if (depth >= MAX_DEPTH) refuse(`more than ${MAX_DEPTH} levels`);
  else {
    writer.array(value.length);
    for (const item of value) writeValue(writer, item, depth + 1);
  }
}

function requireFinite(value: number): number {
  return Number.isFinite(value) ? value : refuse(`${value} is not a finite number`);
}

/** UTF-8 has no lone surrogates: encoding would replace them silently. */
function requireWellFormed(value: string): string {
  return /\p{Surrogate}/u.test(value) ? refuse("a string with a lone surrogate") : value;
}

function refuse(problem: string): never {
  throw new DecomposerError("ERR_ENCODE_REFUSED", problem);
}
