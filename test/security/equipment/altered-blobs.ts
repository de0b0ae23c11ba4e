import { type Bytes, utf8 } from "@photinus/core/bytes";
import { ChainCache } from "@photinus/core/pki";
import { BlobOpener, bytesSource, sealBlob } from "@photinus/core/stream";
import { type SessionPair, sessionPair } from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { expect } from "vitest";
import { aVictimsProject } from "./a-victim.ts";

const crypto = nodeCrypto();
/** Chains that were verified once: hundreds of sessions need not verify them again. */
const modules = { chainCache: new ChainCache() };
const project = await aVictimsProject();
const CONTENT: Bytes = utf8("parameters of a model");

/** A client that waits for a blob, and its BLOB frame. */
interface Reader extends SessionPair {
  readonly frame: Bytes;
  /** What reached the sink. */
  readonly written: string[];
}

async function aReader(): Promise<Reader> {
  const pair = await sessionPair({ project, crypto, modules });
  const sizes = { project: project.project, totalBytes: CONTENT.byteLength };
  const { blob: description, key } = await sealBlob(bytesSource(CONTENT), sizes, {
    crypto,
    clock: pair.clock,
  });
  const written: string[] = [];
  const write = (offset: number, data: Bytes): void =>
    void written.push(`${offset} ${new TextDecoder().decode(data)}`);
  const opener = await BlobOpener.create(
    { description, key, project: project.project, sink: { write } },
    { crypto },
  );
  pair.client.receive({
    routes: [],
    onBlobChunk: async (chunk) => {
      await opener.accept(chunk);
    },
  });
  pair.server.receive({ routes: [] });
  const [frame] = description.frames;
  if (frame === undefined) throw new RangeError("a blob of one frame");
  return { ...pair, frame, written };
}

/** Sends each alteration of a BLOB frame; nothing of any is taken, and the frame itself is. @returns codes of the sessions that ended */
export async function alteredBlobs(
  alterations: (frame: Bytes) => readonly (readonly [label: string, altered: Bytes])[],
): Promise<ReadonlySet<string>> {
  let reader = await aReader();
  const ends = new Set<string>();
  const count = alterations(reader.frame).length;
  for (let index = 0; index < count; index++) {
    if (reader.client.signal.aborted) reader = await aReader();
    const [label, altered] = alterations(reader.frame)[index] ?? [];
    if (altered === undefined) throw new RangeError("the frame has another length");
    reader.connections.injectToClient(altered);
    await reader.clock.settle();
    if (reader.client.signal.aborted) ends.add((await reader.client.ended).code);
    expect(reader.written, label).toEqual([]);
  }
  if (reader.client.signal.aborted) reader = await aReader();
  reader.connections.injectToClient(reader.frame);
  await reader.clock.settle();
  expect(reader.written).toEqual([`0 ${new TextDecoder().decode(CONTENT)}`]);
  return ends;
}

/** Codes with which a session may end over a BLOB frame that was altered. */
export const BLOB_ENDS: readonly string[] = [
  "ERR_FRAME_MALFORMED",
  "ERR_VERSION_UNSUPPORTED",
  "ERR_DECODE_REFUSED",
  "ERR_STREAM_REFUSED",
];
