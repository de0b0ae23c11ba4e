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

test("a receiver grants 1 MiB at first, and what was written in quarters of that", async () => {
  const client = await anUpload(20 * MIB);
  expect(await client.granted()).toEqual([MIB]);

  for (let index = 0; index < 3; index++) await client.sendChunk(index);

  expect(await client.granted()).toEqual([MIB, MIB / 4, MIB / 4, MIB / 4]);
});

test("a receiver never grants more than the stream has", async () => {
  const client = await anUpload(2 * MIB);

  for (let index = 0; index < 8; index++) await client.sendChunk(index);

  const granted = await client.granted();
  expect(granted.reduce((sum, bytes) => sum + bytes, 0)).toBe(2 * MIB);
});

test("a peer that sends as fast as it can is never granted more than 8 MiB at once", async () => {
  const client = await anUpload(64 * MIB);
  let outstanding = 0;
  let granted = 0;
  for (let index = 0; index < 256; index++) {
    const credit = (await client.granted()).reduce((sum, bytes) => sum + bytes, 0);
    granted += credit - granted;
    outstanding = Math.max(outstanding, granted - (index * MIB) / 4);
    await client.sendChunk(index);
    if (index % 16 === 0) await client.clock.advance(1); // more than 3 GB a second
  }

  expect(outstanding).toBeGreaterThan(MIB);
  expect(outstanding).toBeLessThanOrEqual(8 * MIB);
});

test("a window of up to 64 MiB is an option; a larger one is a fault of the caller", async () => {
  const windowBytes = 64 * MIB;
  await expect(sessionPair({ project, server: { limits: { windowBytes } } })).resolves.toBeDefined();

  await expect(
    sessionPair({ project, server: { limits: { windowBytes: windowBytes + 1 } } }),
  ).rejects.toThrow(RangeError);
});
