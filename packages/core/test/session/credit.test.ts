import { expect, test } from "vitest";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on } from "../../src/session/index.ts";
import { bytesSource, makeManifest, readCredit, writeChunk } from "../../src/stream/index.ts";
import { type SessionPairOptions, sessionPair, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND } from "../../src/wire/index.ts";
import { hostileClient } from "./hostile-client.ts";
import { upload } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const MIB = 1_048_576;

/** A client that announces a stream and sends only the chunks it is told to. */
async function anUpload(totalBytes: number, options: SessionPairOptions = {}) {
  const client = await hostileClient(
    project,
    {
      routes: [
        on(upload, ({ manifest }, _, session) => {
          // It ends with the session.
          session.acceptStream(manifest, { write: () => undefined }).catch(() => undefined);
        }),
      ],
    },
    options,
  );
  const content = new Uint8Array(totalBytes);
  const manifest = await makeManifest(
    bytesSource(content),
    { totalBytes, chunkBytes: MIB / 4 },
    { crypto, clock: client.clock },
  );
  const body = encode({ manifest }, builtInRegistry());
  await client.sendInner(await client.signed({ type: upload.type, body }));
  return {
    ...client,
    /** Sends a chunk of zeros, which is what the stream holds. */
    sendChunk: (index: number) => {
      const data = new Uint8Array(MIB / 4);
      return client.sendInner(writeChunk({ streamId: manifest.streamId, index, data }));
    },
    granted: async (): Promise<readonly number[]> =>
      (await client.frames())
        .filter(({ kind }) => kind === FRAME_KIND.credit)
        .map((frame) => readCredit(frame).bytes),
  };
}

test("a receiver grants 8 MiB at first, and what was written in quarters of that", async () => {
  const client = await anUpload(20 * MIB);
  expect(await client.granted()).toEqual([8 * MIB]);

  for (let index = 0; index < 7; index++) await client.sendChunk(index);
  expect(await client.granted()).toEqual([8 * MIB]);
  for (let index = 7; index < 16; index++) await client.sendChunk(index);

  expect(await client.granted()).toEqual([8 * MIB, 2 * MIB, 2 * MIB]);
});

test("a receiver never grants more than the stream has", async () => {
  const client = await anUpload(9 * MIB);

  for (let index = 0; index < 32; index++) await client.sendChunk(index);

  expect(await client.granted()).toEqual([8 * MIB, MIB]);
});

test("a window of up to 64 MiB is an option; a larger one is a fault of the caller", async () => {
  const client = await anUpload(70 * MIB, { server: { limits: { windowBytes: 64 * MIB } } });
  expect(await client.granted()).toEqual([64 * MIB]);

  const windowBytes = 64 * MIB + 1;
  await expect(sessionPair({ project, server: { limits: { windowBytes } } })).rejects.toThrow(RangeError);
});
