import type { Bytes } from "@photinus/core/bytes";
import { type ByteSource, memorySource } from "./byte-source.ts";
import type { BatchArray, Dataset } from "./dataset.ts";
import { malformed } from "./idx.ts";

/** How a text becomes examples. */
export interface TextOptions {
  /** What the text is, for errors. */
  readonly name: string;
  /** Tokens of one example, 1 to 65 536. */
  readonly length: number;
  /** Tokens between the beginnings of two examples, at least 1. Default: `length`, so that none is in two of them. */
  readonly stride?: number | undefined;
  /** Name of the model's input. Default: "input_ids". */
  readonly input?: string | undefined;
  /** Type of the model's input. Default: "i64", as transformers have it. */
  readonly dtype?: "f32" | "i32" | "i64" | undefined;
}

/** Most tokens of one example. */
const MAX_TEXT_LENGTH = 65_536;

/** Values of a byte. */
const BYTES = 256;

/**
 * A text as examples for a model that says the next token. Each byte is a token, so that no vocabulary has to be agreed on and
 * every text of every language has tokens; a character beyond ASCII is two to four of them. The label of each place is the
 * token behind it. What is left behind the last whole example is not used.
 *
 * @param text in memory, where it is kept and not copied, or read piece by piece
 * @throws TrainingError `ERR_DATA_MALFORMED` when the text is shorter than one example and the token behind it
 */
export function textDataset(text: Bytes | ByteSource, options: TextOptions): Dataset {
  const source = text instanceof Uint8Array ? memorySource(text) : text;
  const window = new Uint8Array(options.length + 1);
  const tokensAt = (start: number): Bytes => {
    source.read(start, window);
    return window;
  };
  return datasetOver({ count: source.byteLength, tokenCount: BYTES, tokensAt }, options);
}

/**
 * As {@link textDataset}, of tokens that a tokenizer made.
 * @param tokens kept, not copied
 * @throws TrainingError `ERR_DATA_MALFORMED` when there are fewer than one example needs
 */
export function tokenDataset(
  { tokens, tokenCount }: { readonly tokens: Int32Array; readonly tokenCount: number },
  options: TextOptions,
): Dataset {
  const tokensAt = (start: number): Int32Array => tokens.subarray(start, start + options.length + 1);
  return datasetOver({ count: tokens.length, tokenCount, tokensAt }, options);
}

interface Tokens {
  readonly count: number;
  readonly tokenCount: number;
  /** The tokens of one example and the one behind it; valid until the next call. */
  readonly tokensAt: (start: number) => Bytes | Int32Array;
}

function datasetOver({ count, tokenCount, tokensAt }: Tokens, options: TextOptions): Dataset {
  const { name, length, stride = length, input = "input_ids", dtype = "i64" } = options;
  requireCount(length, "length");
  requireCount(stride, "stride");
  if (count <= length) malformed(name, `${count} tokens, an example needs ${length + 1}`);
  const inInt64 = Array.from({ length: tokenCount }, (_, token) => BigInt(token)); // made once: not one for each step
  const read: Dataset["read"] = (indices, into) => {
    const [ids] = into.features;
    if (ids === undefined) return;
    const write = ids instanceof BigInt64Array ? int64Writer(ids, inInt64) : numberWriter(ids);
    indices.forEach((index, row) => {
      const tokens = tokensAt(index * stride);
      for (let place = 0; place < length; place++) {
        const at = row * length + place;
        write(at, tokens[place] ?? 0);
        into.labels[at] = tokens[place + 1] ?? 0;
      }
    });
  };
  return {
    count: Math.floor((count - length - 1) / stride) + 1,
    features: [{ name: input, dtype, shape: [length] }],
    labelling: { kind: "classes", classCount: tokenCount, shape: [length] },
    read,
  };
}

type Write = (at: number, token: number) => void;

function int64Writer(memory: BigInt64Array, inInt64: readonly bigint[]): Write {
  return (at, token) => {
    memory[at] = inInt64[token] ?? 0n;
  };
}

function numberWriter(memory: Exclude<BatchArray, BigInt64Array>): Write {
  return (at, token) => {
    memory[at] = token;
  };
}

function requireCount(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > MAX_TEXT_LENGTH) {
    throw new RangeError(`${what} must be 1 to ${MAX_TEXT_LENGTH}, got ${value}`);
  }
}
