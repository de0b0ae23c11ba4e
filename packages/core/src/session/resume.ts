import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import {
  chunkBitmap,
  defineMessage,
  type HeldBlob,
  heldBlob,
  type MessageDefinition,
  USER_ROLES,
} from "../message/index.ts";

// Type ids 10 to 12 of this layer: 10 resume, 11 resumed, 12 stream-resumed; never reused.

/** Most messages that one side names to the other. */
export const MAX_ACKNOWLEDGED = 256;
/** Most half-done blobs that a site names. [W-190] */
export const MAX_HELD_BLOBS = 8;
/** Most half-done streams that a server names. */
const MAX_STREAMS = 64;

const bytesOf = (length: number): v.GenericSchema<unknown, Bytes> =>
  v.custom<Bytes>(
    (value) =>
      value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.byteLength === length,
    `${length} bytes`,
  );

const messageIds = v.pipe(v.array(bytesOf(16)), v.maxLength(MAX_ACKNOWLEDGED));

/** Body of {@link resume}. */
export interface ResumeBody {
  /** Id of the last session that the server took up: 32 bytes. Absent: this side begins afresh. */
  readonly session?: Bytes;
  /** Ids of the server's signed messages whose effect this side kept: they need not come again. At most 256. */
  readonly acknowledged: readonly Bytes[];
  /** Sealed blobs that this side needs the rest of. At most 8; absent: none. */
  readonly blobs?: readonly HeldBlob[];
}

/** RESUME: the first message of a site in a session, and of a user who hands in a job. */
export const resume: MessageDefinition<ResumeBody> = defineMessage(
  { type: 10, name: "resume", signed: false, from: ["site", ...USER_ROLES] },
  v.strictObject({
    session: v.exactOptional(bytesOf(32)),
    acknowledged: messageIds,
    blobs: v.exactOptional(v.pipe(v.array(heldBlob), v.maxLength(MAX_HELD_BLOBS))),
  }),
);

/** A stream of which chunks are kept. */
export interface HalfDoneStream {
  /** 16 bytes. */
  readonly streamId: Bytes;
  /** How many of its chunks are verified. */
  readonly chunks: number;
}

/** Body of {@link resumed}. */
export interface ResumedBody {
  /** False: the session starts fresh, and nothing of an earlier one is kept but what was committed. */
  readonly isResumed: boolean;
  /** Ids of the site's signed messages whose outcome is stored: sent again, they are answered by it. */
  readonly acknowledged: readonly Bytes[];
  /** Uploads that go on when their message is sent again. */
  readonly streams: readonly HalfDoneStream[];
}

/** The answer to {@link resume}: what is resumed. */
export const resumed: MessageDefinition<ResumedBody> = defineMessage(
  { type: 11, name: "resumed", signed: false, from: ["server"] },
  v.strictObject({
    isResumed: v.boolean(),
    acknowledged: messageIds,
    streams: v.pipe(
      v.array(
        v.strictObject({ streamId: bytesOf(16), chunks: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) }),
      ),
      v.maxLength(MAX_STREAMS),
    ),
  }),
);

/** Body of {@link streamResumed}. */
export interface StreamResumedBody {
  /** 16 bytes. */
  readonly streamId: Bytes;
  /** Bitmap of the chunks that are there: bit i of byte floor(i / 8), lowest first. */
  readonly received: Bytes;
}

/** The receiver of a stream has chunks of it: said before its first credit, so that only the others are sent. */
export const streamResumed: MessageDefinition<StreamResumedBody> = defineMessage(
  { type: 12, name: "stream-resumed", signed: false, from: ["server"] },
  v.strictObject({ streamId: bytesOf(16), received: chunkBitmap }),
);
