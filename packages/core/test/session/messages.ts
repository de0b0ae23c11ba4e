import * as v from "valibot";
import type { Bytes } from "../../src/bytes/index.ts";
import { defineMessage, type MessageDefinition } from "../../src/message/index.ts";
import type { StreamManifest } from "../../src/stream/index.ts";

// Message kinds of the tests of this folder; their ids are beyond those of the catalogue.

/** Authenticated only. */
export const note: MessageDefinition<{ text: string }> = defineMessage(
  { type: 900, name: "note", signed: false, from: ["site", "server"] },
  v.strictObject({ text: v.pipe(v.string(), v.maxLength(1000)) }),
);

/** Signed. */
export const order: MessageDefinition<{ text: string }> = defineMessage(
  { type: 901, name: "order", signed: true, from: ["site", "server"] },
  v.strictObject({ text: v.pipe(v.string(), v.maxLength(1000)) }),
);

/** Only the server may send it. */
export const decree: MessageDefinition<{ text: string }> = defineMessage(
  { type: 902, name: "decree", signed: false, from: ["server"] },
  v.strictObject({ text: v.string() }),
);

const bytes = v.custom<Bytes>((value) => value instanceof Uint8Array);

/** Signed, with bytes. */
export const large: MessageDefinition<{ bytes: Bytes }> = defineMessage(
  { type: 904, name: "large", signed: true, from: ["site", "server"] },
  v.strictObject({ bytes }),
);

/** Announces a stream. */
export const upload: MessageDefinition<{ manifest: StreamManifest }> = defineMessage(
  { type: 903, name: "upload", signed: true, from: ["site", "server"] },
  v.strictObject({
    manifest: v.strictObject({
      streamId: bytes,
      chunkBytes: v.number(),
      totalBytes: v.number(),
      leaves: bytes,
      root: bytes,
    }),
  }),
);
