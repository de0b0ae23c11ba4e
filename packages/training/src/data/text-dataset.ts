import type { Bytes } from "@photinus/core/bytes";
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

/** Tokens that there are: the values of a byte. */
const TOKENS = 256;

/**
 * A text as examples for a model that says the next token. Each byte is a token, so that no vocabulary has to be agreed on and
 * every text of every language has tokens; a character beyond ASCII is two to four of them. The label of each place is the
 * token behind it. The text stays bytes in memory; what is left behind the last whole example is not used.
 *
 * @param text kept, not copied
 * @throws TrainingError `ERR_DATA_MALFORMED` when the text is shorter than one example and the token behind it
 */
export function textDataset(text: Bytes, options: TextOptions): Dataset {
  const { name, length, stride = length, input = "input_ids", dtype = "i64" } = options;
  requireCount(length, "length");
  requireCount(stride, "stride");
  if (text.length <= length) malformed(name, `${text.length} bytes, an example needs ${length + 1}`);
  const read: Dataset["read"] = (indices, into) => {
    const [ids] = into.features;
    if (ids === undefined) return;
    const write = ids instanceof BigInt64Array ? int64Writer(ids) : numberWriter(ids);
    indices.forEach((index, row) => {
      const start = index * stride;
      for (let place = 0; place < length; place++) {
        const at = row * length + place;
        write(at, text[start + place] ?? 0);
        into.labels[at] = text[start + place + 1] ?? 0;
      }
    });
  };
  return {
    count: Math.floor((text.length - length - 1) / stride) + 1,
    features: [{ name: input, dtype, shape: [length] }],
    labelling: { kind: "classes", classCount: TOKENS, shape: [length] },
    read,
  };
}

type Write = (at: number, token: number) => void;

/** Tokens in int64, made once: a step would spend more time on making them than on copying. */
const IN_INT64: readonly bigint[] = Array.from({ length: TOKENS }, (_, token) => BigInt(token));

function int64Writer(memory: BigInt64Array): Write {
  return (at, token) => {
    memory[at] = IN_INT64[token] ?? 0n;
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
