import type { Bytes } from "../bytes/index.ts";
import { DecomposerError } from "../errors/index.ts";
import { isShortAscii } from "./ascii.ts";
import {
  DEFAULT_DECOMPOSER_LIMITS,
  type Decomposer,
  type DecomposerLimits,
  type DecomposerRegistry,
  REGISTERED_EXTENSION,
} from "./decomposer.ts";
import { describePath, type Path } from "./path.ts";
import { TokenWriter } from "./token-writer.ts";

/**
 * Encodes plain data and values of registered types (protocol section 7): null, booleans, numbers, well-formed
 * strings, bytes, arrays, plain objects (keys sorted by UTF-16 code unit), and what `registry` holds. A value has one
 * encoding, and {@link decode} then `encode` gives the same bytes.
 *
 * @param value left unchanged
 * @param limits default {@link DEFAULT_DECOMPOSER_LIMITS}: what a receiver would refuse is not sent
 * @throws DecomposerError `ERR_ENCODE_REFUSED` with path and type of what may not travel: `undefined`, functions,
 *   symbols, classes that are not registered, accessors, circles
 */
export function encode(
  value: unknown,
  registry: DecomposerRegistry,
  limits: Partial<DecomposerLimits> = {},
): Bytes {
  const bounds = { ...DEFAULT_DECOMPOSER_LIMITS, ...limits };
  const encoder = new Encoder(registry, bounds);
  const writer = new TokenWriter();
  encoder.value(writer, value, 0);
  const bytes = writer.finish();
  if (bytes.byteLength > bounds.bytes) encoder.refuse(`more than ${bounds.bytes} bytes`);
  return bytes;
}

class Encoder {
  readonly #registry: DecomposerRegistry;
  readonly #limits: DecomposerLimits;
  readonly #path: Path = [];
  #nodes = 0;

  constructor(registry: DecomposerRegistry, limits: DecomposerLimits) {
    this.#registry = registry;
    this.#limits = limits;
  }

  /** @param depth containers around the value */
  value(writer: TokenWriter, value: unknown, depth: number): void {
    if (++this.#nodes > this.#limits.nodes) this.refuse(`more than ${this.#limits.nodes} values`);
    switch (typeof value) {
      case "boolean":
        writer.boolean(value);
        break;
      case "number":
        writer.number(value);
        break;
      case "string":
        writer.text(this.#wellFormed(value));
        break;
      case "bigint":
        this.#registered(writer, value, depth);
        break;
      case "object":
        if (value === null) writer.nil();
        else this.#object(writer, value, depth);
        break;
      default:
        this.refuse(`${typeof value} may not travel`);
    }
  }

  refuse(problem: string, cause?: unknown): never {
    throw new DecomposerError("ERR_ENCODE_REFUSED", `${describePath(this.#path)}: ${problem}`, { cause });
  }

  #object(writer: TokenWriter, value: object, depth: number): void {
    if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype)
      this.#array(writer, value, this.#deeper(depth));
    else if (value instanceof Uint8Array) writer.bytes(value);
    else if (isPlain(value)) this.#map(writer, value, this.#deeper(depth));
    else this.#registered(writer, value, depth);
  }

  #array(writer: TokenWriter, items: readonly unknown[], depth: number): void {
    writer.array(items.length);
    for (let index = 0; index < items.length; index++) {
      this.#path.push(index);
      this.value(writer, items[index], depth); // a hole is undefined, so refused
      this.#path.pop();
    }
  }

  #map(writer: TokenWriter, map: object, depth: number): void {
    const keys = Object.keys(map).sort(); // by UTF-16 code unit
    if (Reflect.ownKeys(map).length !== keys.length) this.#refuseHidden(map, keys);
    writer.map(keys.length);
    for (const key of keys) {
      this.#path.push(key);
      const property = Object.getOwnPropertyDescriptor(map, key);
      if (property === undefined || !("value" in property)) this.refuse("an accessor");
      if (key === "__proto__") this.refuse("the key __proto__");
      this.#nodes += 1;
      writer.text(this.#wellFormed(key));
      this.value(writer, property.value, depth);
      this.#path.pop();
    }
  }

  #refuseHidden(map: object, keys: readonly string[]): never {
    const hidden = Object.getOwnPropertyNames(map).find((key) => !keys.includes(key));
    if (hidden === undefined) return this.refuse("an object with symbol keys");
    this.#path.push(hidden);
    return this.refuse("a hidden property");
  }

  #registered(writer: TokenWriter, value: object | bigint, depth: number): void {
    const decomposer = this.#registry.of(value);
    if (decomposer === undefined) this.refuse(`${describeType(value)} is not registered`);
    const inner = this.#deeper(depth);
    this.#path.push(`<${decomposer.name}>`);
    const fields = this.#decompose(decomposer, value);
    writer.extension(REGISTERED_EXTENSION, () => {
      writer.array(2);
      writer.number(decomposer.id);
      // A bigint decomposes to itself: here, and only here, it is an integer of up to 64 bits.
      if (typeof fields === "bigint" && typeof value === "bigint") {
        this.#nodes += 1;
        writer.bigint(fields);
      } else this.value(writer, fields, inner);
    });
    this.#path.pop();
  }

  #decompose(decomposer: Decomposer, value: object | bigint): unknown {
    try {
      return decomposer.decompose(value);
    } catch (cause) {
      return this.refuse(cause instanceof Error ? cause.message : "refused by its decomposer", cause);
    }
  }

  /** UTF-8 has no lone surrogates: encoding would replace them silently. */
  #wellFormed(text: string): string {
    if (isShortAscii(text)) return text;
    return /\p{Surrogate}/u.test(text) ? this.refuse("a string with a lone surrogate") : text;
  }

  #deeper(depth: number): number {
    if (depth >= this.#limits.depth) this.refuse(`more than ${this.#limits.depth} levels`);
    return depth + 1;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describeType(value: object | bigint): string {
  if (typeof value === "bigint") return "bigint";
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" ? `class ${name}` : "an object of unknown class";
}
