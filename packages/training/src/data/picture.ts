import type { Bytes } from "@photinus/core/bytes";

/** A picture as it is in memory: one byte for each colour of each pixel, row by row. */
export interface Picture {
  /** Pixels of a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** 1: grey; 3: red, green, blue. What was transparent shows white. */
  readonly channels: 1 | 3;
  /** [height, width, channels] */
  readonly pixels: Bytes;
}

/** Most pixels of a picture that is read: what is larger is made smaller before it is given to anybody. */
export const MAX_PICTURE_PIXELS: number = 2 ** 24;

/** Most bytes of a file that holds a picture. */
export const MAX_PICTURE_BYTES: number = 2 ** 26;

/**
 * A picture in another size and number of colours. Its middle is cut to the shape that is asked for; pixels are weighted by a triangle as
 * wide as the step between them, as Pillow's BILINEAR does, so that smaller pictures are not speckled.
 */
export function fitPicture(picture: Picture, to: Omit<Picture, "pixels">): Picture {
  const { width, height, channels } = picture;
  const scale = Math.min(width / to.width, height / to.height);
  const columns = weightsOf({ from: width, span: to.width * scale, to: to.width });
  const rows = weightsOf({ from: height, span: to.height * scale, to: to.height });
  const narrow = new Float32Array(height * to.width * channels);
  for (let y = 0; y < height; y++) {
    const line = picture.pixels.subarray(y * width * channels, (y + 1) * width * channels);
    resample(line, { step: channels, taps: columns, into: narrow.subarray(y * to.width * channels) });
  }
  const pixels = new Float32Array(to.height * to.width * channels);
  resample(narrow, { step: to.width * channels, taps: rows, into: pixels });
  return { ...to, pixels: recoloured(pixels, channels, to.channels) };
}

interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

function weightsOf({ from, span, to }: Readonly<Record<"from" | "span" | "to", number>>): readonly Taps[] {
  const scale = span / to;
  const support = Math.max(scale, 1);
  const start = (from - span) / 2;
  return Array.from({ length: to }, (_, index) => {
    const centre = start + (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(from, Math.floor(centre + support + 0.5));
    const raw = Array.from({ length: last - first }, (_unused, tap) =>
      Math.max(0, 1 - Math.abs(first + tap + 0.5 - centre) / support),
    );
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: raw.map((weight) => weight / total) };
  });
}

/** Weighted sums along an axis whose neighbours lie `step` elements apart, for each of those elements. */
function resample(
  line: ArrayLike<number>,
  {
    step,
    taps,
    into,
  }: { readonly step: number; readonly taps: readonly Taps[]; readonly into: Float32Array },
): void {
  taps.forEach(({ first, weights }, index) => {
    for (let element = 0; element < step; element++) {
      let sum = 0;
      weights.forEach((weight, tap) => {
        sum += weight * (line[(first + tap) * step + element] ?? 0);
      });
      into[index * step + element] = sum;
    }
  });
}

function recoloured(values: Float32Array, from: 1 | 3, to: 1 | 3): Bytes {
  if (from === to) return Uint8Array.from(values, Math.round);
  const count = values.length / from;
  const pixels = new Uint8Array(count * to);
  for (let index = 0; index < count; index++) {
    if (to === 3) pixels.fill(Math.round(values[index] ?? 0), index * 3, index * 3 + 3);
    else pixels[index] = Math.round(luma(values, index * 3));
  }
  return pixels;
}

/** ITU-R BT.601, as JPEG and Pillow make grey of colours. */
function luma(values: ArrayLike<number>, at: number): number {
  return 0.299 * (values[at] ?? 0) + 0.587 * (values[at + 1] ?? 0) + 0.114 * (values[at + 2] ?? 0);
}
