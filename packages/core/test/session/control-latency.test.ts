import { expect, test } from "vitest";
import { webCrypto } from "../../src/platform/index.ts";
import { on } from "../../src/session/index.ts";
import { bytesSource, DEFAULT_CHUNK_BYTES, makeManifest } from "../../src/stream/index.ts";
import {
  sessionPair,
  TEST_EPOCH_MS,
  testProject,
  trackCrypto,
  type VirtualClock,
  virtualClock,
} from "../../src/testing/index.ts";
import { note, upload } from "./messages.ts";

const project = await testProject();
const tracked = trackCrypto(webCrypto());
const { crypto } = tracked;
const MIB = 1_048_576;

const aClock = (): VirtualClock => virtualClock({ startMs: TEST_EPOCH_MS, settle: tracked.settled });

async function anUpload(clock: VirtualClock, totalBytes: number) {
  const source = bytesSource(new Uint8Array(totalBytes));
  return { source, manifest: await makeManifest(source, { totalBytes }, { crypto, clock }) };
}

/** @returns ms that an upload of 32 MiB takes over 100 ms and 100 Mbit/s, with a window of at most so many bytes */
async function uploadMs(windowBytes?: number): Promise<number> {
  const clock = aClock();
  const transport = { clock, latencyMs: 50, bytesPerSecond: 12_500_000 };
  const limits = windowBytes === undefined ? {} : { windowBytes };
  const connecting = sessionPair({ project, crypto, clock, transport, server: { limits } });
  const pair = await clock.runUntil(connecting);
  const { source, manifest } = await anUpload(clock, 32 * MIB);
  const received = new Promise<void>((resolve, reject) => {
    pair.server.receive({
      routes: [
        on(upload, (body, _, session) => {
          session.acceptStream(body.manifest, { write: () => undefined }).then(resolve, reject);
        }),
      ],
    });
  });
  pair.client.receive({ routes: [] });
  const startedMs = clock.now();

  await pair.client.send(upload, { manifest });
  await clock.runUntil(Promise.all([pair.client.sendStream(manifest, source), received]));
  return clock.now() - startedMs;
}

test("an upload over 100 ms and 100 Mbit/s fills the way, which a window of 512 KiB does not", async () => {
  const lineMs = (32 * MIB) / 12_500;

  expect(await uploadMs()).toBeLessThan(1.15 * lineMs + 300);
  expect(await uploadMs(MIB / 2)).toBeGreaterThan(2 * lineMs);
});

test("a message that comes behind a window of chunks is handled before they are verified", async () => {
  const clock = aClock();
  let release: () => void = () => undefined;
  const turn = new Promise<void>((resolve) => {
    release = resolve;
  });
  const pair = await sessionPair({
    project,
    crypto,
    clock,
    modules: { clock: { ...clock, yield: () => turn } },
  });
  const happened: string[] = [];
  pair.server.receive({
    routes: [
      on(upload, ({ manifest }, _, session) => {
        // It ends with the session.
        session.acceptStream(manifest, { write: () => void happened.push("written") }).catch(() => undefined);
      }),
      on(note, ({ text }) => void happened.push(text)),
    ],
  });
  pair.client.receive({ routes: [] });
  const { source, manifest } = await anUpload(clock, DEFAULT_CHUNK_BYTES);
  await pair.client.send(upload, { manifest });
  const sending = pair.client.sendStream(manifest, source);
  await clock.settle();
  await pair.client.send(note, { text: "handled" });
  await clock.settle();
  expect(happened).toEqual(["handled"]);

  release();
  await sending;
  await clock.settle();

  expect(happened).toEqual(["handled", "written"]);
});

test("who sends an upload to a peer that takes everything lets other work run each 512 KiB", async () => {
  const clock = aClock();
  let turns = 0;
  const counting = {
    ...clock,
    yield: (): Promise<void> => {
      turns += 1;
      return clock.yield();
    },
  };
  const pair = await sessionPair({ project, crypto, clock, modules: { clock: counting } });
  const frames = Array.from({ length: 3 }, () => new Uint8Array(MIB / 4));

  await pair.client.sendBlob({ frames: frames.slice(0, 1) });
  expect(turns).toBe(0);
  await pair.client.sendBlob({ frames });

  expect(turns).toBe(2);
});
