import { fromUtf8 } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import { readSmallFile } from "@photinus/node-platform";
import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";

/** A file of JSON, and where in it each value stands. */
export interface LocatedFile {
  /** What it holds; not looked at yet. */
  readonly value: unknown;
  /** `file:line:column` of a value, or of the nearest one around it that is there. A key that is there counts as its value. */
  readonly locate: (path: readonly (string | number)[]) => string;
}

const MAX_BYTES = 1_048_576;

/**
 * Reads a file of JSON.
 * @param path not followed when it is a link
 * @throws HostError `ERR_CONFIG_INVALID` with the place of the fault when it is no JSON, or names a key twice
 */
export async function readLocatedJson(path: string): Promise<LocatedFile> {
  const text = fromUtf8(await readSmallFile(path, MAX_BYTES));
  const lines = new LineCounter();
  // JSON is a part of YAML, whose reader knows positions; what only YAML has is refused by JSON's own reader.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, schema: "json" });
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw new HostError("ERR_CONFIG_INVALID", `${placeOf(problem.pos[0])} ${problem.message.split("\n")[0]}`);
  }
  return {
    value: parsed(text, path),
    locate: (keys) => placeOf(offsetOf(document.contents, keys)),
  };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HostError("ERR_CONFIG_INVALID", `${path}:1:1 this is not JSON`, { cause });
  }
}

function offsetOf(contents: Node | null, keys: readonly (string | number)[]): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const key of keys) {
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
      : undefined;
    const child: unknown = pair === undefined ? childOf(node, key) : pair.value;
    const place = pair === undefined ? rangeOf(child) : rangeOf(pair.key);
    if (place === undefined) break;
    offset = place;
    node = child;
  }
  return offset;
}

function childOf(node: unknown, key: string | number): unknown {
  if (typeof node !== "object" || node === null || !("items" in node) || !Array.isArray(node.items))
    return undefined;
  return typeof key === "number" ? node.items[key] : undefined;
}

function rangeOf(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node) || !Array.isArray(node.range))
    return undefined;
  const [start] = node.range;
  return typeof start === "number" ? start : undefined;
}
