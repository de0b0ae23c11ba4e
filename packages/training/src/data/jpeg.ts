import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import { decode } from "jpeg-js";
import { malformed } from "./idx.ts";
import { MAX_PICTURE_PIXELS, type Picture } from "./picture.ts";

/** Whether bytes begin as a JPEG file. */
export const isJpeg = (bytes: Bytes): boolean => bytes[0] === 0xff && bytes[1] === 0xd8;

/** The decoder counts coefficients and planes of a picture together; those of the largest are about this. */
const MAX_DECODER_MEGABYTES = 512;

/**
 * Reads a JPEG picture by jpeg-js: baseline or progressive, grey or in colours, the same pixels in every runtime. It turns nothing as
 * EXIF may ask.
 *
 * @param name of the file, for errors
 * @throws TrainingError `ERR_DATA_MALFORMED` when it is damaged, or larger than is read
 */
export function parseJpeg(bytes: Bytes, name: string): Picture {
  if (!isJpeg(bytes)) malformed(name, "it does not begin as a JPEG file");
  const { width, height, components } = frameOf(bytes, name);
  if (width === 0 || height === 0 || width * height > MAX_PICTURE_PIXELS) {
    malformed(name, `${width} x ${height} pixels, at most ${MAX_PICTURE_PIXELS}: make it smaller`);
  }
  const data = decoded(bytes, name);
  if (components !== 1) return { width, height, channels: 3, pixels: data };
  return {
    width,
    height,
    channels: 1,
    pixels: Uint8Array.from({ length: width * height }, (_, index) => data[index * 3] ?? 0),
  };
}

function decoded(bytes: Bytes, name: string): Bytes {
  try {
    const { data } = decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: MAX_PICTURE_PIXELS / 1e6,
      maxMemoryUsageInMB: MAX_DECODER_MEGABYTES,
    });
    return new Uint8Array(data);
  } catch (cause) {
    throw new TrainingError("ERR_DATA_MALFORMED", `${name}: a damaged JPEG picture`, { cause });
  }
}

/** The size stands in the first start-of-frame marker (ITU T.81, section B.2.2); it is compared before anything is decoded. */
function frameOf(
  bytes: Bytes,
  name: string,
): { readonly width: number; readonly height: number; readonly components: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at++; // a fill byte
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return {
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        components: bytes[at + 9] ?? 0,
      };
    at += 2 + view.getUint16(at + 2);
  }
  return malformed(name, "it has no picture in it");
}
