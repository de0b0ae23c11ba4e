import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import type { Role } from "../pki/index.ts";
import { MAX_BITMAP_BYTES, MAX_CHUNKS, type StreamManifest } from "../stream/index.ts";
import { type DType, isDType, MAX_RANK, type TensorEntry } from "../tensor/index.ts";

// Schemas of fields that several messages have. Every string, array and number has its bounds here.

/** Roles of people, from the mightiest. */
export const USER_ROLES: readonly Role[] = ["project_admin", "org_admin", "lead", "member"];

/** Most tensors of a model. */
export const MAX_TENSORS = 4096;

const isPlainBytes = (value: unknown): value is Bytes =>
  value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;

/** Exactly `length` bytes. */
export const bytesOf = (length: number): v.GenericSchema<unknown, Bytes> =>
  v.custom<Bytes>((value) => isPlainBytes(value) && value.byteLength === length, `${length} bytes`);

/** 1 to `most` bytes. */
export const bytesUpTo = (most: number): v.GenericSchema<unknown, Bytes> =>
  v.custom<Bytes>(
    (value) => isPlainBytes(value) && value.byteLength >= 1 && value.byteLength <= most,
    `at most ${most} bytes`,
  );

/** A whole number in [least, most]. */
export const integerIn = (least: number, most: number): v.GenericSchema<unknown, number> =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

/** A finite number. */
export const finite: v.GenericSchema<unknown, number> = v.pipe(v.number(), v.finite());

/** A finite number that is not negative. */
export const finiteNotNegative: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(0),
);

/** A mean loss: finite, and small enough that sums of it over all examples of all sites stay so. */
export const meanLoss: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.minValue(-1e30),
  v.maxValue(1e30),
);

/** A string of `least` to `most` UTF-16 units. */
export const textOf = (least: number, most: number): v.GenericSchema<unknown, string> =>
  v.pipe(v.string(), v.minLength(least), v.maxLength(most));

/** A job id: the object id of the job's OBJECT in lower-case hex. */
export const jobId: v.GenericSchema<unknown, string> = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

/** A task id: 16 bytes in lower-case hex. */
export const taskId: v.GenericSchema<unknown, string> = jobId;

/** 1 to 100 000. */
export const round: v.GenericSchema<unknown, number> = integerIn(1, 100_000);

/** An error code as it stands in the registry; not proved to be known, the sender may be newer. */
export const errorCode: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.regex(/^ERR_[A-Z0-9_]{1,60}$/),
);

/** The name of a site, data set, device: `[a-z0-9][a-z0-9._-]{0,62}`. */
export const plainName: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
);

/** 64 KiB to 1 MiB. */
export const chunkBytes: v.GenericSchema<unknown, number> = integerIn(65_536, 1_048_576);

/** Leaves of a stream or blob: 32 bytes a chunk, at least one. */
export const leaves: v.GenericSchema<unknown, Bytes> = v.custom<Bytes>(
  (value) =>
    isPlainBytes(value) &&
    value.byteLength % 32 === 0 &&
    value.byteLength >= 32 &&
    value.byteLength <= 32 * MAX_CHUNKS,
  "whole digests of 32 bytes",
);

/** Which chunks of a stream or blob are there: one bit each. [W-190] */
export const chunkBitmap: v.GenericSchema<unknown, Bytes> = v.custom<Bytes>(
  (value) => isPlainBytes(value) && value.byteLength <= MAX_BITMAP_BYTES,
  `at most ${MAX_BITMAP_BYTES} bytes`,
);

/** Bytes of one model or graph: to 4 GiB, where WASM memory ends. */
export const totalBytes: v.GenericSchema<unknown, number> = integerIn(1, 2 ** 32);

/** A manifest whose numbers fit together. */
export const manifest: v.GenericSchema<unknown, StreamManifest> = v.pipe(
  v.strictObject({ streamId: bytesOf(16), chunkBytes, totalBytes, leaves, root: bytesOf(32) }),
  v.check(
    (value) => value.leaves.byteLength === 32 * Math.ceil(value.totalBytes / value.chunkBytes),
    "one leaf a chunk",
  ),
);

/** A tensor's shape. */
export const shape: v.GenericSchema<unknown, number[]> = v.pipe(
  v.array(integerIn(0, 2 ** 31)),
  v.maxLength(MAX_RANK),
);

/** A tensor's dtype. */
export const dtype: v.GenericSchema<unknown, DType> = v.custom<DType>(isDType, "a dtype");

/** The tensor table of a stream. */
export const tensorTable: v.GenericSchema<unknown, TensorEntry[]> = v.pipe(
  v.array(v.strictObject({ name: textOf(1, 256), dtype, shape, offset: integerIn(0, 2 ** 32) })),
  v.maxLength(MAX_TENSORS),
);
