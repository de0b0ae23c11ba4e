import { type Bytes, fromUtf8 } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { malformed } from "./idx.ts";

/** The two files of a byte-level tokenizer, as GPT-2, RoBERTa and those that follow them come with. */
export interface BpeFiles {
  /** `vocab.json`: ids by tokens. */
  readonly vocabulary: Bytes;
  /** `merges.txt`: pairs of tokens that become one, the most frequent first. */
  readonly merges: Bytes;
}

/** Turns text into ids. */
export interface Tokenizer {
  /** Ids are 0 to this - 1. */
  readonly tokenCount: number;
  /** The ids of a text. @throws TrainingError `ERR_DATA_MALFORMED` when it is no UTF-8 */
  encode(text: Bytes, name: string): Int32Array;
}

const MAX_FILE_BYTES = 2 ** 25;
const MAX_TOKENS = 2 ** 20;

/** Longest piece between two spaces whose bytes are merged at once: merging costs the square of it. Longer ones are cut. */
const MAX_PIECE_BYTES = 512;

/** How GPT-2 cuts a text before bytes are merged (Radford et al. 2019, encoder.py). */
const PIECES = /'(?:[stdm]|re|ve|ll)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * Byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019): every text has tokens, as each byte is one.
 * @throws TrainingError `ERR_DATA_MALFORMED` for files that are not such a tokenizer, or too large
 */
export function bpeTokenizer(files: BpeFiles): Tokenizer {
  const ids = readVocabulary(files.vocabulary);
  const ranks = readMerges(files.merges);
  const letters = byteLetters();
  for (const letter of letters) {
    if (!ids.has(letter)) malformed("vocab.json", "a byte has no token: it is no tokenizer of bytes");
  }
  const known = new Map<string, readonly number[]>();
  const encodePiece = (piece: string): readonly number[] => {
    const found = known.get(piece);
    if (found !== undefined) return found;
    const bytes = new TextEncoder().encode(piece);
    const tokens: number[] = [];
    for (let start = 0; start < bytes.length; start += MAX_PIECE_BYTES) {
      const spelled = Array.from(
        bytes.subarray(start, start + MAX_PIECE_BYTES),
        (byte) => letters[byte] ?? "",
      );
      tokens.push(
        ...merge(spelled, ranks).map(
          (token) => ids.get(token) ?? malformed("vocab.json", "a merged token has no id"),
        ),
      );
    }
    if (known.size < MAX_TOKENS) known.set(piece, tokens);
    return tokens;
  };
  const encode = (text: Bytes, name: string): Int32Array => {
    const pieces = textOf(text, name).matchAll(PIECES);
    const tokens = new Int32Array(text.length); // no token is shorter than a byte
    let count = 0;
    for (const [piece] of pieces) {
      for (const token of encodePiece(piece)) tokens[count++] = token;
    }
    return tokens.slice(0, count);
  };
  return { tokenCount: 1 + [...ids.values()].reduce((most, id) => Math.max(most, id), 0), encode };
}

/** Joins the pair of the best rank until none has one. */
function merge(spelled: readonly string[], ranks: ReadonlyMap<string, number>): readonly string[] {
  let tokens = [...spelled];
  for (;;) {
    let best: { readonly rank: number; readonly pair: string } | undefined;
    for (let index = 1; index < tokens.length; index++) {
      const pair = `${tokens[index - 1]} ${tokens[index]}`;
      const rank = ranks.get(pair);
      if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, pair };
    }
    if (best === undefined) return tokens;
    tokens = joined(tokens, best.pair);
  }
}

function joined(tokens: readonly string[], pair: string): string[] {
  const next: string[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const isPair = `${tokens[index]} ${tokens[index + 1]}` === pair;
    next.push(isPair ? pair.replace(" ", "") : (tokens[index] ?? ""));
    if (isPair) index++;
  }
  return next;
}

/** The letter that stands for each byte in the files: itself where it prints, else one from U+0100 on. */
function byteLetters(): readonly string[] {
  const prints = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let other = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : other++));
}

function readVocabulary(file: Bytes): ReadonlyMap<string, number> {
  const name = "vocab.json";
  let value: unknown;
  try {
    value = JSON.parse(textOf(file, name, MAX_FILE_BYTES));
  } catch (cause) {
    if (cause instanceof TrainingError) throw cause;
    malformed(name, "it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) malformed(name, "it is no object");
  const entries = Object.entries(value);
  if (entries.length > MAX_TOKENS) malformed(name, `${entries.length} tokens, at most ${MAX_TOKENS}`);
  return new Map(
    entries.map(([token, id]: [string, unknown]) => {
      const isId = typeof id === "number" && Number.isSafeInteger(id) && id >= 0 && id < MAX_TOKENS;
      return isId ? ([token, id] as const) : malformed(name, `an id is not below ${MAX_TOKENS}`);
    }),
  );
}

function readMerges(file: Bytes): ReadonlyMap<string, number> {
  const name = "merges.txt";
  const lines = textOf(file, name, MAX_FILE_BYTES).split("\n");
  if (lines.length > MAX_TOKENS) malformed(name, `more than ${MAX_TOKENS} lines`);
  const pairs = lines
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !line.startsWith("#version"));
  if (pairs.some((pair) => !/^\S+ \S+$/u.test(pair))) malformed(name, "a line is not two tokens");
  return new Map(pairs.map((pair, rank) => [pair, rank]));
}

/** Longest text that is one string in every runtime. */
const MAX_TEXT_BYTES = 2 ** 28;

function textOf(bytes: Bytes, name: string, most: number = MAX_TEXT_BYTES): string {
  if (bytes.length > most) malformed(name, `${bytes.length} bytes, at most ${most}`);
  try {
    return fromUtf8(bytes);
  } catch {
    malformed(name, "it is not UTF-8");
  }
}
