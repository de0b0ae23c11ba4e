import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { writePositional } from "../../src/decomposer/index.ts";
import { type Checkpoint, openCheckpoint, runningHash, sealCheckpoint } from "../../src/envelope/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import { on } from "../../src/session/index.ts";
import { sessionPair, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, writeFrame } from "../../src/wire/index.ts";
import { type HostileClient, hostileClient } from "./hostile-client.ts";
import { note } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const MINUTE_MS = 60_000;

async function aClient(): Promise<HostileClient> {
  return await hostileClient(project, { routes: [on(note, () => undefined)] });
}

async function endOf(client: HostileClient): Promise<string> {
  await client.clock.settle();
  if (!client.server.signal.aborted) return "goes on";
  return (await client.server.ended).code;
}

/** Sends notes. @returns the checkpoint that an honest client sends after them */
async function sendNotes(client: HostileClient, count: number): Promise<Checkpoint> {
  let hash = client.sid;
  for (let index = 0; index < count; index++) {
    const frame = client.message();
    hash = await runningHash(hash, frame, crypto);
    await client.sendInner(frame);
  }
  const { name: from } = client.identity.participant;
  return { project: "test", from, to: "hub", sid: client.sid, direction: 0, count, hash };
}

const sealed = (client: HostileClient, checkpoint: Checkpoint, key = client.identity.signingKey) =>
  sealCheckpoint(checkpoint, { key, crypto });

// The sender.

test("the 1 000th message is followed by a checkpoint, before any other frame", async () => {
  const client = await aClient();
  const { signingKey } = project.server;
  const sending = Array.from({ length: 1500 }, () => client.server.send(note, { text: "x" }));
  await Promise.all(sending);

  const frames = await client.frames();

  const kinds = frames.map(({ kind }) => kind);
  expect(kinds).toHaveLength(1501);
  expect(kinds.indexOf(FRAME_KIND.checkpoint)).toBe(1000);
  let hash = client.sid;
  for (const frame of frames.slice(0, 1000)) hash = await runningHash(hash, bytesOf(frame), crypto);
  const expected: Checkpoint = {
    ...{ project: "test", from: "hub", to: "site-1", sid: client.sid },
    ...{ direction: 1, count: 1000, hash },
  };
  const verifyingKey = await crypto.importVerifyingKey(signingKey.publicKey, signingKey.algorithm);
  await openCheckpoint(frames[1000]!, expected, { verifyingKey, crypto });
});

test("a message is covered within a minute, the heartbeats around it too, and heartbeats alone by none", async () => {
  const client = await hostileClient(
    project,
    { routes: [on(note, () => undefined)] },
    { server: { timings: { heartbeatMs: 7000, silenceMs: 86_400_000 } } },
  );
  const kinds = async (): Promise<readonly number[]> => (await client.frames()).map(({ kind }) => kind);

  await client.clock.advance(5 * MINUTE_MS);
  const beats = (await kinds()).length;
  expect(beats).toBeGreaterThan(20);
  expect(await kinds()).not.toContain(FRAME_KIND.checkpoint);
  await client.server.send(note, { text: "x" });
  await client.clock.advance(MINUTE_MS);
  const place = (await kinds()).indexOf(FRAME_KIND.checkpoint);
  expect(place).toBeGreaterThan(beats);
  await client.clock.advance(3 * MINUTE_MS);

  expect((await kinds()).filter((kind) => kind === FRAME_KIND.checkpoint)).toHaveLength(1);
  let hash = client.sid;
  const covered = (await client.frames()).slice(0, place);
  for (const frame of covered) hash = await runningHash(hash, bytesOf(frame), crypto);
  const expected: Checkpoint = {
    ...{ project: "test", from: "hub", to: "site-1", sid: client.sid },
    ...{ direction: 1, count: place, hash },
  };
  const { publicKey, algorithm } = project.server.signingKey;
  const verifyingKey = await crypto.importVerifyingKey(publicKey, algorithm);
  await openCheckpoint((await client.frames())[place]!, expected, { verifyingKey, crypto });
});

test("two idle sides sign and verify nothing but the tokens that are renewed", async () => {
  const counts = { sign: 0, verify: 0 };
  const counting: CryptoProvider = {
    ...crypto,
    sign: (...parts) => {
      counts.sign += 1;
      return crypto.sign(...parts);
    },
    verify: (...parts) => {
      counts.verify += 1;
      return crypto.verify(...parts);
    },
  };
  const { clock, connections, client, server } = await sessionPair({
    ...{ project, crypto: counting, transport: { record: true } },
  });
  client.receive({ routes: [] });
  server.receive({ routes: [] });
  const [before, sent] = [{ ...counts }, connections.sentByClient.length];

  await clock.advance(9 * MINUTE_MS);

  expect(connections.sentByClient.length).toBeGreaterThan(sent + 10);
  expect(counts).toEqual(before);
  await clock.advance(2 * MINUTE_MS);
  expect({ sign: counts.sign - before.sign, verify: counts.verify - before.verify }).toEqual({
    sign: 2, // the tokens of both; the message that brings them proves nothing more
    verify: 2,
  });
});

test("a session without messages has no checkpoints", async () => {
  const quiet = { timings: { heartbeatMs: 3_600_000, silenceMs: 86_400_000 } };
  const { clock, connections, client, server } = await sessionPair({
    project,
    client: quiet,
    server: quiet,
    transport: { record: true },
  });
  client.receive({ routes: [] });
  server.receive({ routes: [] });
  const before = [connections.sentByClient.length, connections.sentByServer.length];

  await clock.advance(9 * MINUTE_MS);

  expect([connections.sentByClient.length, connections.sentByServer.length]).toEqual(before);
});

test("a session of many messages goes on, each side verifying the other's checkpoints", async () => {
  const { clock, client, server } = await sessionPair({ project });
  const counts = { client: 0, server: 0 };
  client.receive({ routes: [on(note, () => void counts.client++)] });
  server.receive({ routes: [on(note, () => void counts.server++)] });

  for (let index = 0; index < 2500; index++) {
    await client.send(note, { text: "up" });
    if (index % 2 === 0) await server.send(note, { text: "down" });
  }
  await clock.settle();
  await clock.advance(3 * MINUTE_MS);

  expect(counts).toEqual({ client: 1250, server: 2500 });
  expect([client.signal.aborted, server.signal.aborted]).toEqual([false, false]);
});

// The receiver.

test("a right checkpoint is taken, again and again", async () => {
  const client = await aClient();

  const first = await sendNotes(client, 3);
  await client.sendInner(await sealed(client, first));
  const frame = client.message();
  await client.sendInner(frame);
  const hash = await runningHash(first.hash, frame, crypto);
  await client.sendInner(await sealed(client, { ...first, count: 4, hash }));

  expect(await endOf(client)).toBe("goes on");
});

test.for([
  ["another project", { project: "other" }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["another author", { from: "site-2" }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["another receiver", { to: "site-2" }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["another session", { sid: new Uint8Array(32) }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["the other direction", { direction: 1 }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["more messages", { count: 4 }, "ERR_DIGEST_MISMATCH"],
  ["fewer messages", { count: 2 }, "ERR_DIGEST_MISMATCH"],
  ["other messages", { hash: new Uint8Array(32) }, "ERR_DIGEST_MISMATCH"],
] as const)("a checkpoint over %s ends the session", async ([, change, code]) => {
  const client = await aClient();
  const checkpoint = await sendNotes(client, 3);

  await client.sendInner(await sealed(client, { ...checkpoint, ...change }));

  expect(await endOf(client)).toBe(code);
});

test("a checkpoint signed by another key ends the session", async () => {
  const client = await aClient();
  const checkpoint = await sendNotes(client, 3);

  await client.sendInner(await sealed(client, checkpoint, project.sites.get("site-2")!.signingKey));

  expect(await endOf(client)).toBe("ERR_ENVELOPE_SIGNATURE_INVALID");
});

test("a checkpoint with an altered signature ends the session", async () => {
  const client = await aClient();
  const frame = await sealed(client, await sendNotes(client, 3));
  frame[frame.length - 1]! ^= 1;

  await client.sendInner(frame);

  expect(await endOf(client)).toBe("ERR_ENVELOPE_SIGNATURE_INVALID");
});

test("a checkpoint without a message before it ends the session", async () => {
  const client = await aClient();
  const checkpoint = await sendNotes(client, 1);
  const frame = await sealed(client, checkpoint);

  await client.sendInner(frame);
  expect(await endOf(client)).toBe("goes on");
  await client.sendInner(frame);

  expect(await endOf(client)).toBe("ERR_FRAME_MALFORMED");
});

test.for([
  ["a payload", { payload: new Uint8Array(1) }, "ERR_FRAME_MALFORMED"],
  ["another header", { header: writePositional([1]) }, "ERR_DECODE_REFUSED"],
  ["no header", {}, "ERR_DECODE_REFUSED"],
] as const)("a checkpoint with %s ends the session", async ([, parts, code]) => {
  const client = await aClient();
  await sendNotes(client, 1);

  await client.sendInner(writeFrame(FRAME_KIND.checkpoint, parts));

  expect(await endOf(client)).toBe(code);
});

test("the 1 001st message without a checkpoint ends the session", async () => {
  const client = await aClient();

  await sendNotes(client, 1000);
  expect(await endOf(client)).toBe("goes on");
  await client.sendInner(client.message());

  expect(await endOf(client)).toBe("ERR_SEQUENCE_GAP");
});

test("a message that no checkpoint covers for two minutes ends the session", async () => {
  const client = await aClient();
  await sendNotes(client, 1);

  for (let index = 0; index < 4; index++) {
    await client.clock.advance(30_000);
    await client.sendInner(await client.signed({ type: 901 }));
    expect(await endOf(client), `${30 * (index + 1)} s`).toBe("goes on");
  }
  await client.clock.advance(30_000);

  expect(await endOf(client)).toBe("ERR_SEQUENCE_GAP");
});

test("heartbeats are not waited for in vain, and count among the 1 000", async () => {
  const client = await aClient();
  const heartbeats = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      await client.sendInner(client.heartbeat());
    }
  };

  for (let minute = 0; minute < 8; minute++) {
    await heartbeats(2);
    await client.clock.advance(30_000);
    await heartbeats(2);
    await client.clock.advance(30_000);
  }
  expect(await endOf(client)).toBe("goes on");
  await heartbeats(1000 - 32);
  expect(await endOf(client)).toBe("goes on");
  await heartbeats(1);

  expect(await endOf(client)).toBe("ERR_SEQUENCE_GAP");
});

test("a checkpoint over heartbeats alone is taken", async () => {
  const client = await aClient();
  const frame = client.heartbeat();
  await client.sendInner(frame);
  const { name: from } = client.identity.participant;
  const route = { project: "test", from, to: "hub", sid: client.sid, direction: 0 as const };

  const hash = await runningHash(client.sid, frame, crypto);
  await client.sendInner(await sealed(client, { ...route, count: 1, hash }));

  expect(await endOf(client)).toBe("goes on");
});

test("a checkpoint that a receiver did not read is not overdue", async () => {
  const { clock, client, server } = await sessionPair({ project, server: { limits: { waitingBytes: 100 } } });
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  client.receive({ routes: [] });
  server.receive({ routes: [on(note, () => gate)] });

  for (let index = 0; index < 3; index++) await client.send(note, { text: "x".repeat(200) });
  await clock.advance(10 * MINUTE_MS);
  release();
  await clock.advance(MINUTE_MS);

  expect([client.signal.aborted, server.signal.aborted]).toEqual([false, false]);
});

function bytesOf({ prefix }: { readonly prefix: Bytes }): Bytes {
  // A frame is views into one piece of memory that begins with its prefix and ends with it.
  return new Uint8Array(prefix.buffer, prefix.byteOffset);
}
