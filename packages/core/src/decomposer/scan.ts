import { type DecomposerLimits, type DecomposerRegistry, REGISTERED_EXTENSION } from "./decomposer.ts";
import { describeKey, type Path } from "./path.ts";
import type { TokenReader } from "./token-reader.ts";
import { BIGINT_ID } from "./types/bigint.ts";

/** What a scan of one value needs. */
export interface ScanContext {
  readonly registry: DecomposerRegistry;
  readonly limits: DecomposerLimits;
  /** Place of the value being read; names it in refusals. */
  readonly path: Path;
}

/**
 * Walks over one encoded value once, before anything of it is decoded: depth, number of values, every declared length
 * against what is left, UTF-8, shortest forms, string keys in their order and so without repetition, registered types.
 * It keeps nothing but the path to where it is.
 * @throws DecomposerError `ERR_DECODE_REFUSED` naming the place
 */
export function scan(reader: TokenReader, context: ScanContext): void {
  const scanner = new Scanner(context);
  scanner.value(reader, 0);
  reader.end();
}

class Scanner {
  readonly #context: ScanContext;
  #nodes = 0;

  constructor(context: ScanContext) {
    this.#context = context;
  }

  /** @param depth containers around the value */
  value(reader: TokenReader, depth: number): void {
    this.#count(reader);
    switch (reader.peek()) {
      case "nil":
        reader.nil();
        break;
      case "boolean":
        reader.boolean();
        break;
      case "integer":
        if (typeof reader.integer() === "bigint") reader.refuse("an integer outside the safe range");
        break;
      case "float":
        reader.float();
        break;
      case "text":
        reader.skipText();
        break;
      case "bytes":
        reader.bytes();
        break;
      case "array":
        this.#array(reader, this.#deeper(reader, depth));
        break;
      case "map":
        this.#map(reader, this.#deeper(reader, depth));
        break;
      case "extension":
        this.#registered(reader, this.#deeper(reader, depth));
        break;
    }
  }

  #array(reader: TokenReader, depth: number): void {
    const length = reader.arrayLength();
    const { path } = this.#context;
    for (let index = 0; index < length; index++) {
      path.push(index);
      this.value(reader, depth);
      path.pop();
    }
  }

  #map(reader: TokenReader, depth: number): void {
    const length = reader.mapLength();
    const { path } = this.#context;
    let previous: string | undefined;
    for (let index = 0; index < length; index++) {
      this.#count(reader);
      if (reader.peek() !== "text") reader.refuse("a key that is no string");
      const key = reader.text();
      // A copy into an ordinary object would set its prototype.
      if (key === "__proto__") reader.refuse("the key __proto__");
      if (previous !== undefined && key <= previous) refuseOrder(reader, previous, key);
      previous = key;
      path.push(key);
      this.value(reader, depth);
      path.pop();
    }
  }

  #registered(reader: TokenReader, depth: number): void {
    const { code, body } = reader.extension();
    const { registry, path } = this.#context;
    if (code !== REGISTERED_EXTENSION) reader.refuse(`extension code ${code} is not registered`);
    if (body.arrayLength() !== 2) body.refuse("a registered value is [type, fields]");
    const id = body.integer();
    const decomposer = typeof id === "number" ? registry.byId(id) : undefined;
    if (decomposer === undefined) reader.refuse(`type ${id} is not registered`);
    path.push(`<${decomposer.name}>`);
    // The one place for integers of 64 bits: they are bigints there, so that nothing is rounded.
    if (decomposer.id === BIGINT_ID && body.peek() === "integer") {
      this.#count(body);
      body.integer();
    } else this.value(body, depth);
    body.end();
    path.pop();
  }

  #count(reader: TokenReader): void {
    const { nodes } = this.#context.limits;
    if (++this.#nodes > nodes) reader.refuse(`more than ${nodes} values`);
  }

  #deeper(reader: TokenReader, depth: number): number {
    const { depth: limit } = this.#context.limits;
    if (depth >= limit) reader.refuse(`more than ${limit} levels`);
    return depth + 1;
  }
}

function refuseOrder(reader: TokenReader, previous: string, key: string): never {
  if (key === previous) reader.refuse(`the key ${describeKey(key)} occurs twice`);
  return reader.refuse(`the key ${describeKey(key)} comes after ${describeKey(previous)}`);
}
