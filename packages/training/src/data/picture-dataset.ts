import type { Bytes } from "@photinus/core/bytes";
import type { BatchBuffers, Dataset } from "./dataset.ts";
import { floatsOf } from "./dataset.ts";
import { MAX_UNPACKED_BYTES } from "./gunzip.ts";
import { malformed } from "./idx.ts";
import { isJpeg, parseJpeg } from "./jpeg.ts";
import { fitPicture, MAX_PICTURE_BYTES, type Picture } from "./picture.ts";
import { isPng, parsePng } from "./png.ts";

/** A file that holds a picture, and its class. */
export interface PictureFile {
  /** For errors. */
  readonly name: string;
  /** Its class id. */
  readonly label: number;
  /** Reads it. */
  readonly read: () => Promise<Bytes>;
}

/** How pictures become examples. */
export interface PictureOptions {
  /** What they are, for errors. */
  readonly name: string;
  /** Class ids are 0 to this - 1. */
  readonly classCount: number;
  /** Columns of an example; pictures of another size are made to fit, cut at the sides where their shape is another. */
  readonly width: number;
  /** Rows of an example. */
  readonly height: number;
  /** 1: grey; 3: red, green, blue. */
  readonly channels: 1 | 3;
}

/** The picture in a file. @throws TrainingError `ERR_DATA_MALFORMED` when it is neither PNG nor JPEG, damaged, or too large */
export async function parsePicture(bytes: Bytes, name: string): Promise<Picture> {
  if (bytes.byteLength > MAX_PICTURE_BYTES)
    malformed(name, `${bytes.byteLength} bytes, at most ${MAX_PICTURE_BYTES}`);
  if (isPng(bytes)) return parsePng(bytes, name);
  if (isJpeg(bytes)) return parseJpeg(bytes, name);
  return malformed(name, "it is neither PNG nor JPEG");
}

/**
 * Pictures as examples [channels, height, width] of numbers from 0 to 1. They are read one after another and stay in memory in the size of
 * the examples, a byte for each number.
 * @throws TrainingError `ERR_DATA_MALFORMED` as {@link parsePicture}, or when all together are more than 1 GiB
 */
export async function pictureDataset(
  files: readonly PictureFile[],
  options: PictureOptions,
): Promise<Dataset> {
  const { name, classCount, width, height, channels } = options;
  const size = width * height * channels;
  if (files.length * size > MAX_UNPACKED_BYTES) {
    malformed(
      name,
      `${files.length} pictures of ${size} bytes are more than ${MAX_UNPACKED_BYTES}: make width and height smaller`,
    );
  }
  const labels = Int32Array.from(files, ({ label }) => label);
  if (labels.some((label) => label < 0 || label >= classCount))
    malformed(name, `a label is no class below ${classCount}`);
  const pixels = new Uint8Array(files.length * size);
  for (const [index, file] of files.entries()) {
    const picture = await parsePicture(await file.read(), file.name);
    pixels.set(planesOf(fitPicture(picture, { width, height, channels })), index * size);
  }
  const read = (indices: Uint32Array, into: BatchBuffers): void => {
    const examples = floatsOf(into, 0);
    indices.forEach((index, row) => {
      into.labels[row] = labels[index] ?? 0;
      for (let at = 0; at < size; at++) examples[row * size + at] = (pixels[index * size + at] ?? 0) / 255;
    });
  };
  return {
    count: files.length,
    features: [{ name: "image", dtype: "f32", shape: [channels, height, width] }],
    labelling: { kind: "classes", classCount, shape: [] },
    read,
  };
}

/** One colour behind the other, as convolutions take them. */
function planesOf({ pixels, channels }: Picture): Bytes {
  if (channels === 1) return pixels;
  const plane = pixels.length / channels;
  return Uint8Array.from(
    { length: pixels.length },
    (_, at) => pixels[(at % plane) * channels + Math.floor(at / plane)] ?? 0,
  );
}
