import { createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeBody, encodeBody, type Notation } from "./decomposers.ts";
import { readError } from "./envelope.ts";
import { readFrame } from "./frame.ts";
import { codeOf, people, site } from "./people.ts";
import { isSigned, sha256, signBy } from "./primitives.ts";
import { checkManifest, type Manifest, openBlob, readCredit, readPiece } from "./stream.ts";
import { hex, required, vectors } from "./vectors.ts";

interface ManifestHex {
  readonly streamId: string;
  readonly chunkBytes: number;
  readonly totalBytes: number;
  readonly leaves: string;
  readonly root: string;
}
const manifestOf = ({ streamId, leaves, root, ...sizes }: ManifestHex): Manifest => ({
  streamId: hex(streamId),
  leaves: hex(leaves),
  root: hex(root),
  ...sizes,
});

describe("streams and blobs", () => {
  const streams = vectors<{
    readonly manifests: readonly ManifestHex[];
    readonly chunks: readonly { readonly index: number; readonly data: string; readonly frame: string }[];
    readonly credits: readonly { readonly bytes: number; readonly frame: string }[];
    readonly refused: readonly {
      readonly name: string;
      readonly manifest: ManifestHex;
      readonly code: number;
    }[];
  }>("streams");
  const contentOf = (length: number): Buffer =>
    Buffer.from(Uint8Array.from({ length }, (_, index) => 7 * index + Math.floor(index / 65_536)));

  test("manifests are those of their contents", () => {
    for (const manifest of streams.manifests.map(manifestOf)) {
      checkManifest(manifest);
      const content = contentOf(manifest.totalBytes);
      const leaves = Array.from({ length: manifest.leaves.length / 32 }, (_, index) =>
        sha256(content.subarray(index * manifest.chunkBytes, (index + 1) * manifest.chunkBytes)),
      );
      expect(Buffer.concat(leaves).equals(manifest.leaves)).toBe(true);
    }
    for (const { frame, index, data } of streams.chunks) {
      expect(readPiece(readFrame(hex(frame)), 16)).toMatchObject({ index, data: hex(data) });
    }
    for (const { frame, bytes } of streams.credits)
      expect(readCredit(readFrame(hex(frame))).bytes).toBe(bytes);
  });

  test.for(streams.refused)("a manifest with $name is refused by $code", ({ manifest, code }) => {
    expect(codeOf(() => checkManifest(manifestOf(manifest)))).toBe(code);
  });

  test("a sealed blob opens under its key and no other", () => {
    const { blobs } = vectors<{
      readonly blobs: readonly {
        readonly key: string;
        readonly description: Omit<ManifestHex, "streamId"> & { readonly blobId: string };
        readonly frames?: readonly string[];
      }[];
    }>("blobs");
    const { key, description, frames = [] } = required(blobs[0]);
    const manifest = manifestOf({ ...description, streamId: description.blobId });
    const pieces = frames.map((frame) => readPiece(readFrame(hex(frame)), 32).data);

    expect(openBlob(people.project, hex(key), manifest, pieces)).toEqual(contentOf(300));
    expect(codeOf(() => openBlob("other", hex(key), manifest, pieces))).toBe(4500);
  });
});

describe("bodies", () => {
  const bodies = vectors<{
    readonly vectors: readonly { readonly name: string; readonly value: Notation; readonly bytes: string }[];
    readonly refused: readonly { readonly name: string; readonly bytes: string }[];
  }>("decomposers");

  test.for(bodies.vectors)("$name", ({ value, bytes }) => {
    expect(decodeBody(hex(bytes))).toEqual(value);
    expect(encodeBody(value).toString("hex")).toBe(bytes);
  });

  test.for(bodies.refused)("refuses $name", ({ bytes }) => {
    expect(codeOf(() => decodeBody(hex(bytes)))).toBe(4019);
  });
});

test.for(
  vectors<{
    readonly frames: readonly {
      readonly code: number;
      readonly inReplyTo: string | null;
      readonly retryAfterMs: number | null;
      readonly detail: string;
      readonly frame: string;
    }[];
  }>("errors").frames,
)("ERROR $code", ({ frame, code, inReplyTo, retryAfterMs, detail }) => {
  const notice = readError(readFrame(hex(frame)));

  expect([notice.code, notice.retryAfterMs ?? null, notice.detail]).toEqual([code, retryAfterMs, detail]);
  expect(notice.inReplyTo?.toString("hex") ?? null).toBe(inReplyTo);
});

test("what is signed here with a key of the vectors verifies with the certificate to it", () => {
  const key = createPrivateKey({ key: hex(people.site.privateKey), format: "der", type: "pkcs8" });
  const data = Buffer.from("signed here");

  expect(isSigned(site.key, 1, signBy(key, data), data)).toBe(true);
});
