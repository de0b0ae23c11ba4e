import { type Bytes, fromUtf8 } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import * as v from "valibot";
import type { PictureOptions } from "../picture-dataset.ts";
import type { TableDatasetOptions } from "../table-dataset.ts";
import type { TextOptions } from "../text-dataset.ts";

const FileSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
const FilesSchema = v.strictObject({ images: FileSchema, labels: FileSchema });
const count = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(minimum), v.maxValue(maximum));
const MAX_DESCRIPTION_BYTES = 65_536;

const finite = v.pipe(v.number(), v.finite());
const deviation = v.pipe(finite, v.gtValue(0));

const ImagesSchema = v.strictObject({
  format: v.literal("idx-images"),
  classes: count(2, 256),
  mean: finite,
  deviation,
  training: FilesSchema,
  heldOut: v.optional(FilesSchema),
  shard: v.optional(
    v.strictObject({
      site: count(0, 9999),
      of: count(1, 10_000),
      concentration: v.pipe(v.number(), v.finite(), v.gtValue(0)),
      seed: count(0, 2 ** 32 - 1),
      minimumExamples: count(0, 2 ** 31),
    }),
  ),
});

const word = v.pipe(v.string(), v.maxLength(256));
const ColumnSchema = v.union([
  v.strictObject({
    column: word,
    mean: v.optional(finite),
    deviation: v.optional(deviation),
    missing: v.optional(finite),
  }),
  v.strictObject({ column: word, values: v.pipe(v.array(word), v.minLength(2), v.maxLength(4096)) }),
]);

const TableSchema = v.strictObject({
  format: v.picklist(["csv", "json-lines"]),
  training: FileSchema,
  heldOut: v.optional(FileSchema),
  features: v.pipe(
    v.array(
      v.strictObject({
        input: word,
        columns: v.pipe(v.array(ColumnSchema), v.minLength(1), v.maxLength(4096)),
      }),
    ),
    v.minLength(1),
    v.maxLength(64),
  ),
  label: ColumnSchema,
});

const ArrayFilesSchema = v.strictObject({
  features: v.pipe(v.record(word, FileSchema), v.minEntries(1), v.maxEntries(64)),
  labels: FileSchema,
});
const arrayOptions = {
  classes: v.optional(count(2, 2 ** 31 - 1)),
  ignoredLabel: v.optional(count(-(2 ** 31), 2 ** 31 - 1)),
  mayMiss: v.optional(v.pipe(v.array(word), v.maxLength(64))),
};
const ArraysSchema = v.strictObject({
  format: v.literal("npy"),
  ...arrayOptions,
  training: ArrayFilesSchema,
  heldOut: v.optional(ArrayFilesSchema),
});

const ArchiveSchema = v.strictObject({
  format: v.literal("npz"),
  ...arrayOptions,
  features: v.pipe(v.record(word, word), v.minEntries(1), v.maxEntries(64)),
  labels: word,
  training: FileSchema,
  heldOut: v.optional(FileSchema),
});

const PictureFolderSchema = v.strictObject({
  format: v.literal("image-folder"),
  classes: v.pipe(
    v.array(
      v.pipe(
        word,
        v.regex(/^[^/\\]+$/),
        v.check((name) => name !== "." && name !== ".."),
      ),
    ),
    v.minLength(2),
    v.maxLength(4096),
  ),
  width: count(1, 4096),
  height: count(1, 4096),
  channels: v.picklist([1, 3]),
  training: FileSchema,
  heldOut: v.optional(FileSchema),
});

const TextSchema = v.strictObject({
  format: v.literal("text"),
  tokenizer: v.union([
    v.literal("bytes"),
    v.strictObject({ name: v.literal("bpe"), vocabulary: FileSchema, merges: FileSchema }),
  ]),
  length: count(1, 65_536),
  stride: v.optional(count(1, 65_536)),
  input: v.optional(word),
  dtype: v.optional(v.picklist(["f32", "i32", "i64"])),
  training: FileSchema,
  heldOut: v.optional(FileSchema),
});

const DescriptionSchema = v.variant("format", [
  ImagesSchema,
  TableSchema,
  ArraysSchema,
  ArchiveSchema,
  PictureFolderSchema,
  TextSchema,
]);

/** Names of two files in IDX format, relative to the folder of the description. */
export interface IdxFileNames {
  /** Images, packed by gzip or not. */
  readonly images: string;
  /** Their labels. */
  readonly labels: string;
}

/** The share of one site when several sites divide one data set. */
export interface ShardDescription {
  /** Position of the site, 0 to `of` - 1. */
  readonly site: number;
  /** Number of sites. */
  readonly of: number;
  /** Concentration of the Dirichlet distribution of classes, > 0. */
  readonly concentration: number;
  /** Unsigned 32-bit seed; the same for all sites. */
  readonly seed: number;
  /** Least training examples of any site. */
  readonly minimumExamples: number;
}

/** What `<name>.json` in a site's data folder says. */
export type DataDescription =
  | ImagesDescription
  | TableDescription
  | ArraysDescription
  | ArchiveDescription
  | PictureFolderDescription
  | TextDescription;

/** Rows of a table as examples. */
export interface TableDescription extends Pick<TableDatasetOptions, "features" | "label"> {
  /** Comma-separated values under a line of names, or one JSON object per line; packed by gzip or not. */
  readonly format: "csv" | "json-lines";
  /** What the site trains on: a file. */
  readonly training: string;
  /** What the site evaluates on: a file with the same columns. */
  readonly heldOut?: string | undefined;
}

/** A text whose next token a model is to say. */
export interface TextDescription extends Omit<TextOptions, "name"> {
  /** Plain text; packed by gzip or not. */
  readonly format: "text";
  /** What a token is: a byte of the file, or what a tokenizer of bytes makes of it, as GPT-2 has one. */
  readonly tokenizer:
    | "bytes"
    | {
        /** Byte-pair encoding. */
        readonly name: "bpe";
        /** `vocab.json`. */
        readonly vocabulary: string;
        /** `merges.txt`. */
        readonly merges: string;
      };
  /** What the site trains on: a file. */
  readonly training: string;
  /** What the site evaluates on: another file. */
  readonly heldOut?: string | undefined;
}

/** Names of files in NumPy's format, relative to the folder of the description. */
export interface ArrayFileNames {
  /** Files by inputs of the model; the first dimension of each is the examples. */
  readonly features: Readonly<Record<string, string>>;
  /** Class ids, or numbers. */
  readonly labels: string;
}

/** What arrays hold. */
export interface ArrayOptions {
  /** Number of classes; absent where labels are numbers. */
  readonly classes?: number | undefined;
  /** The class id of what does not count. */
  readonly ignoredLabel?: number | undefined;
  /** Inputs where NaN stands for a number that is missing: the job imputes it. Default: none. */
  readonly mayMiss?: readonly string[] | undefined;
}

/** Several arrays in one file, as numpy.savez writes it. */
export interface ArchiveDescription extends ArrayOptions {
  /** NPZ files. */
  readonly format: "npz";
  /** Names of arrays by inputs of the model; the first dimension of each is the examples. */
  readonly features: Readonly<Record<string, string>>;
  /** Name of the array of class ids, or numbers. */
  readonly labels: string;
  /** What the site trains on: a file. */
  readonly training: string;
  /** What the site evaluates on: a file with the same arrays. */
  readonly heldOut?: string | undefined;
}

/** Pictures in folders that are called as their classes. */
export interface PictureFolderDescription extends Omit<PictureOptions, "name" | "classCount"> {
  /** PNG and JPEG files. */
  readonly format: "image-folder";
  /** Names of the classes in the order of their ids; each is a folder of files. */
  readonly classes: readonly string[];
  /** What the site trains on: a folder with a folder for each class. */
  readonly training: string;
  /** What the site evaluates on: another such folder. */
  readonly heldOut?: string | undefined;
}

/** Arrays as NumPy saves them. */
export interface ArraysDescription extends ArrayOptions {
  /** One NPY file for each input, and one for the labels; packed by gzip or not. */
  readonly format: "npy";
  /** What the site trains on. */
  readonly training: ArrayFileNames;
  /** What the site evaluates on. */
  readonly heldOut?: ArrayFileNames | undefined;
}

/** Greyscale images and their classes. */
export interface ImagesDescription {
  /** IDX files. */
  readonly format: "idx-images";
  /** Number of classes, 2 to 256. */
  readonly classes: number;
  /** Mean of the pixels, in [0, 1]. */
  readonly mean: number;
  /** Standard deviation of the pixels. */
  readonly deviation: number;
  /** What the site trains on. */
  readonly training: IdxFileNames;
  /** What the site evaluates on. */
  readonly heldOut?: IdxFileNames | undefined;
  /** Which part of the files is the site's. Default: all. */
  readonly shard?: ShardDescription | undefined;
}

/**
 * Reads a description.
 * @param file its name, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` naming the bad field
 */
export function parseDataDescription(json: Bytes, file: string): DataDescription {
  if (json.byteLength > MAX_DESCRIPTION_BYTES)
    throw new TrainingError("ERR_DATA_MALFORMED", `${file} is too long`);
  const result = v.safeParse(DescriptionSchema, parseJson(json, file));
  if (!result.success) {
    throw new TrainingError("ERR_DATA_MALFORMED", `${file}: ${v.summarize(result.issues)}`);
  }
  return result.output;
}

function parseJson(json: Bytes, file: string): unknown {
  try {
    return JSON.parse(fromUtf8(json));
  } catch (cause) {
    throw new TrainingError("ERR_DATA_MALFORMED", `${file} is not JSON`, { cause });
  }
}
