import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { JobError } from "../../src/errors/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on } from "../../src/session/index.ts";
import {
  bytesSink,
  bytesSource,
  makeManifest,
  type StreamManifest,
  writeChunk,
} from "../../src/stream/index.ts";
import { testProject } from "../../src/testing/index.ts";
import { type HostileClient, hostileClient } from "./hostile-client.ts";
import { upload } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const CHUNK_BYTES = 65_536;

/** A client whose streams of two chunks the server accepts and then gives up. */
type UnwantedClient = HostileClient & { readonly giveUp: () => void };

async function anUnwantedClient(): Promise<UnwantedClient> {
  let job = new AbortController();
  const client = await hostileClient(project, {
    routes: [
      on(upload, ({ manifest }, _, session) => {
        const { sink } = bytesSink(manifest.totalBytes);
        // What a coordinator answers when its job is over is not the matter here.
        session.acceptStream(manifest, sink, job.signal).catch(() => undefined);
      }),
    ],
  });
  const giveUp = (): void => {
    job.abort(new JobError("ERR_JOB_ABORTED", "the job is over"));
    job = new AbortController();
  };
  return { ...client, giveUp };
}

async function announce(client: UnwantedClient): Promise<StreamManifest> {
  const content = crypto.randomBytes(2 * CHUNK_BYTES);
  const options = { totalBytes: content.length, chunkBytes: CHUNK_BYTES };
  const manifest = await makeManifest(bytesSource(content), options, { crypto, clock: client.clock });
  const body = encode({ manifest }, builtInRegistry());
  await client.sendInner(await client.signed({ type: upload.type, body }));
  await client.clock.settle();
  client.giveUp();
  await client.clock.settle();
  return manifest;
}

const chunk = ({ streamId }: StreamManifest, index: number): Bytes =>
  writeChunk({ streamId, index, data: new Uint8Array(CHUNK_BYTES) });

async function endOf(client: HostileClient): Promise<string> {
  await client.clock.settle();
  if (!client.server.signal.aborted) return "goes on";
  return (await client.server.ended).code;
}

test("what comes of a failed stream under its credit is ignored, whatever it holds", async () => {
  const client = await anUnwantedClient();
  const manifest = await announce(client);

  await client.sendInner(chunk(manifest, 0));
  await client.sendInner(chunk(manifest, 7));

  expect(await endOf(client)).toBe("goes on");
});

test("what comes of a failed stream beyond its credit ends the session", async () => {
  const client = await anUnwantedClient();
  const manifest = await announce(client);

  for (const index of [0, 1, 1]) await client.sendInner(chunk(manifest, index));

  expect(await endOf(client)).toBe("ERR_STREAM_REFUSED");
});

test("64 failed streams are remembered", async () => {
  const client = await anUnwantedClient();
  const first = await announce(client);
  for (let index = 1; index < 64; index++) await announce(client);

  await client.sendInner(chunk(first, 0));

  expect(await endOf(client)).toBe("goes on");
});

test("no more than 64 failed streams are remembered: the first is then a stream that is not open", async () => {
  const client = await anUnwantedClient();
  const first = await announce(client);
  for (let index = 1; index < 65; index++) await announce(client);

  await client.sendInner(chunk(first, 0));

  expect(await endOf(client)).toBe("ERR_STREAM_REFUSED");
});

test("a failed stream does not come back under its id", async () => {
  const client = await anUnwantedClient();
  const manifest = await announce(client);
  const accepting = client.server.acceptStream(manifest, bytesSink(manifest.totalBytes).sink);

  await expect(accepting).rejects.toMatchObject({ code: "ERR_STREAM_REFUSED" });
});
