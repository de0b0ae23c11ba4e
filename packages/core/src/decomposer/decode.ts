import type { Bytes } from "../bytes/index.ts";
import { DEFAULT_DECOMPOSER_LIMITS, type DecomposerLimits, type DecomposerRegistry } from "./decomposer.ts";
import { describePath, type Path } from "./path.ts";
import { scan } from "./scan.ts";
import { TokenReader } from "./token-reader.ts";

/**
 * Decodes one value (protocol section 7). Nothing is decoded before the whole of `bytes` was scanned for limits,
 * shortest forms, UTF-8, repeated keys and types that are not registered. Maps become objects without a prototype,
 * byte strings copies. The result is `unknown`: a schema proves it next.
 *
 * @param limits default {@link DEFAULT_DECOMPOSER_LIMITS}
 * @throws DecomposerError `ERR_DECODE_REFUSED` with the path of what is refused
 */
export function decode(
  bytes: Bytes,
  registry: DecomposerRegistry,
  limits: Partial<DecomposerLimits> = {},
): unknown {
  const path: Path = [];
  const where = (): string => describePath(path);
  const bounds = { ...DEFAULT_DECOMPOSER_LIMITS, ...limits };
  const scanning = new TokenReader(bytes, where);
  if (bytes.byteLength > bounds.bytes) scanning.refuse(`more than ${bounds.bytes} bytes`);
  scan(scanning, { registry, limits: bounds, path });
  return new Decoder(registry, path).value(new TokenReader(bytes, where));
}

/** Builds values from bytes that a scan has accepted. */
class Decoder {
  readonly #registry: DecomposerRegistry;
  readonly #path: Path;

  constructor(registry: DecomposerRegistry, path: Path) {
    this.#registry = registry;
    this.#path = path;
  }

  value(reader: TokenReader): unknown {
    switch (reader.peek()) {
      case "nil":
        reader.nil();
        return null;
      case "boolean":
        return reader.boolean();
      case "integer":
        return reader.integer();
      case "float":
        return reader.float();
      case "text":
        return reader.text();
      case "bytes":
        return new Uint8Array(reader.bytes());
      case "array":
        return this.#array(reader);
      case "map":
        return this.#map(reader);
      case "extension":
        return this.#registered(reader);
    }
  }

  #array(reader: TokenReader): unknown[] {
    const length = reader.arrayLength();
    const items: unknown[] = [];
    for (let index = 0; index < length; index++) {
      this.#path.push(index);
      items.push(this.value(reader));
      this.#path.pop();
    }
    return items;
  }

  #map(reader: TokenReader): object {
    const length = reader.mapLength();
    // Not Object.create(null): engines make that a hash table, which takes several times the memory and the time.
    const map: Record<string, unknown> = Object.setPrototypeOf({}, null);
    for (let index = 0; index < length; index++) {
      const key = reader.text();
      this.#path.push(key);
      map[key] = this.value(reader);
      this.#path.pop();
    }
    return map;
  }

  #registered(reader: TokenReader): unknown {
    const { body } = reader.extension();
    body.arrayLength();
    const decomposer = this.#registry.byId(Number(body.integer()));
    if (decomposer === undefined) return reader.refuse("a type that is not registered");
    this.#path.push(`<${decomposer.name}>`);
    const fields = this.value(body);
    try {
      const value = decomposer.compose(fields);
      this.#path.pop();
      return value;
    } catch (cause) {
      return body.refuse(
        `not a ${decomposer.name}: ${cause instanceof Error ? cause.message : "refused"}`,
        cause,
      );
    }
  }
}
