import { expect, test } from "vitest";
import { type Bytes, concatBytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode, writePositional } from "../../src/decomposer/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on } from "../../src/session/index.ts";
import { bytesSource, makeManifest, writeChunk, writeCredit } from "../../src/stream/index.ts";
import { FRAME_KIND, type FrameKind, readFrame, writeFrame } from "../../src/wire/index.ts";
import { anAttack, endOf, messageFrame, project, withByte } from "./an-attack.ts";
import { hostileClient } from "./hostile-client.ts";
import { upload } from "./messages.ts";

// Inside: an authenticated peer that breaks the rules.

const crypto = webCrypto();
const registry = builtInRegistry();

test("an honest frame of the hostile client is handled, so that the refusals below mean something", async () => {
  const client = await anAttack();

  await client.sendInner(await client.signed());
  await client.sendInner(messageFrame(client, encode({ text: "y" }, registry)));

  expect(await client.replies()).toEqual([]);
  expect(client.handled.texts).toEqual(["x", "y"]);
});

const FORBIDDEN_INSIDE: readonly FrameKind[] = [1, 2, 3, 4, 5, 8, 9, 14];

test.for(FORBIDDEN_INSIDE)("a frame of kind %i inside the session ends it", async (kind) => {
  const client = await anAttack();

  await client.sendInner(writeFrame(kind, { payload: new Uint8Array(40) }));

  expect(await endOf(client)).toBe("ERR_FRAME_MALFORMED");
});

test.for([
  ["is no frame", () => new Uint8Array(5)],
  ["declares more than it holds", () => withByte(writeFrame(FRAME_KIND.message, {}), 11, 9)],
  ["has an unknown kind", () => withByte(writeFrame(FRAME_KIND.message, {}), 3, 99)],
] as const)("an inner frame that %s ends the session", async ([, inner]) => {
  const client = await anAttack();

  await client.sendInner(inner());

  expect(await endOf(client)).toBe("ERR_FRAME_MALFORMED");
});

test.for([
  ["another project", { project: "other" }, "ERR_ENVELOPE_WRONG_RECIPIENT", "goes on"],
  ["another author", { from: "site-2" }, "ERR_ENVELOPE_WRONG_RECIPIENT", "goes on"],
  ["another recipient", { to: "site-2" }, "ERR_ENVELOPE_WRONG_RECIPIENT", "goes on"],
  ["another session", { sid: new Uint8Array(32) }, "ERR_ENVELOPE_WRONG_RECIPIENT", "goes on"],
  ["the other direction", { direction: 1 }, "ERR_ENVELOPE_WRONG_RECIPIENT", "goes on"],
  ["an unknown token", { tokenRef: new Uint8Array(32) }, "ERR_TOKEN_UNKNOWN", "goes on"],
  ["an unknown type", { type: 999 }, "ERR_TYPE_UNKNOWN", "goes on"],
  ["a type that is not signed", { type: 900 }, "ERR_TYPE_UNKNOWN", "goes on"],
] as const)("a signed message for %s is refused", async ([, change, code, end]) => {
  const client = await anAttack();

  await client.sendInner(await client.signed(change));

  expect(await client.replies()).toMatchObject([{ code }]);
  expect(await endOf(client)).toBe(end);
  expect(client.handled.texts).toEqual([]);
});

test.for([
  ["61 s ago", -61_000],
  ["61 s ahead", 61_000],
] as const)("a message signed %s is stale", async ([, offset]) => {
  const client = await anAttack();

  await client.sendInner(await client.signed({ issuedAt: client.clock.now() + offset }));

  expect(await client.replies()).toMatchObject([{ code: "ERR_ENVELOPE_STALE" }]);
});

test("a message with a token that has expired ends the session", async () => {
  const client = await anAttack();
  // Signed messages keep it alive; this client never uses the tokens that follow the first.
  for (let minute = 0; minute < 15; minute++) {
    await client.clock.advance(30_000);
    await client.sendInner(await client.signed());
    await client.clock.advance(30_000);
    if (minute < 14) await client.sendInner(await client.signed());
  }

  await client.sendInner(await client.signed());

  expect(await endOf(client)).toBe("ERR_TOKEN_EXPIRED");
});

test("a message that is signed by another key ends the session", async () => {
  const client = await anAttack();

  await client.sendInner(await client.signed({}, project.sites.get("site-2")!.signingKey));

  expect(await endOf(client)).toBe("ERR_ENVELOPE_SIGNATURE_INVALID");
});

test("a message whose header was altered after it was signed ends the session", async () => {
  const client = await anAttack();
  const frame = await client.signed({ scope: "job/1" });
  const { header } = readFrame(frame);
  const at = 12 + header.length - 50; // inside the digest of the payload

  await client.sendInner(withByte(frame, at, (frame[at] ?? 0) ^ 1));

  expect(await endOf(client)).toBe("ERR_ENVELOPE_SIGNATURE_INVALID");
});

test("a message whose payload is not the one that was signed is refused", async () => {
  const client = await anAttack();
  const frame = await client.signed();

  await client.sendInner(withByte(frame, frame.length - 1, 0x79));

  expect(await client.replies()).toMatchObject([{ code: "ERR_DIGEST_MISMATCH" }]);
  expect(client.handled.texts).toEqual([]);
});

test("a signed message that comes twice ends the session, and is handled once", async () => {
  const client = await anAttack();
  const frame = await client.signed();

  await client.sendInner(frame);
  await client.sendInner(frame);

  expect(await endOf(client)).toBe("ERR_ENVELOPE_REPLAYED");
  expect(client.handled.texts).toEqual(["x"]);
});

test("another message under an id that was used ends the session", async () => {
  const client = await anAttack();
  const messageId = crypto.randomBytes(16);

  await client.sendInner(await client.signed({ messageId }));
  await client.sendInner(await client.signed({ messageId, scope: "other" }));

  expect(await endOf(client)).toBe("ERR_ENVELOPE_REPLAYED");
});

test("an id is recorded only when its message is handled", async () => {
  const client = await anAttack();
  const messageId = crypto.randomBytes(16);

  await client.sendInner(await client.signed({ messageId, to: "site-2" }));
  await client.sendInner(await client.signed({ messageId }));
  await client.clock.settle();

  expect(client.handled.texts).toEqual(["x"]);
});

test.for([
  ["a position too many", [1, 2, 3]],
  ["nothing", []],
] as const)("a header with %s ends the session: there is nothing to answer", async ([, positions]) => {
  for (const kind of [FRAME_KIND.signed, FRAME_KIND.message, FRAME_KIND.object, FRAME_KIND.chunk] as const) {
    const client = await anAttack();
    await client.sendInner(writeFrame(kind, { header: writePositional(positions) }));
    expect(await endOf(client)).toBe("ERR_DECODE_REFUSED");
  }
});

test("a MESSAGE with a tag, which nobody would check, ends the session", async () => {
  const client = await anAttack();
  const { header, payload } = readFrame(client.message());

  await client.sendInner(writeFrame(FRAME_KIND.message, { header, tag: new Uint8Array(64), payload }));

  expect(await endOf(client)).toBe("ERR_FRAME_MALFORMED");
  expect(client.handled.texts).toEqual([]);
});

function nested(depth: number): Bytes {
  const bytes = new Uint8Array(depth + 1).fill(0x91);
  bytes[depth] = 0xc0;
  return bytes;
}

test.for([
  ["nested 33 deep", nested(33)],
  ["nested a million deep", nested(1_000_000)],
  ["with a key twice", Uint8Array.of(0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 2)],
  ["with an unregistered type", Uint8Array.of(0xd4, 0x05, 0)],
  ["with bytes behind it", Uint8Array.of(0xc0, 0xc0)],
  ["that declares four gigabytes", Uint8Array.of(0xc6, 0xff, 0xff, 0xff, 0xff)],
  ["that is empty", new Uint8Array(0)],
] as const)("a payload %s is refused and the session goes on", async ([, body]) => {
  const client = await anAttack();

  await client.sendInner(messageFrame(client, body));

  expect(await client.replies()).toMatchObject([{ code: "ERR_DECODE_REFUSED" }]);
  expect(await endOf(client)).toBe("goes on");
});

test("a body of another shape is refused by its schema, naming the field", async () => {
  const client = await anAttack();

  await client.sendInner(messageFrame(client, encode({ text: 7 }, registry)));
  await client.sendInner(messageFrame(client, encode({ text: "x", admin: true }, registry)));

  const replies = await client.replies();
  expect(replies.map(({ code }) => code)).toEqual(["ERR_MESSAGE_MALFORMED", "ERR_MESSAGE_MALFORMED"]);
  expect(replies[0]?.detail).toContain("text");
});

// Streams.

test("a chunk of a stream that was not accepted ends the session", async () => {
  const client = await anAttack();

  await client.sendInner(writeChunk({ streamId: new Uint8Array(16), index: 0, data: new Uint8Array(10) }));

  expect(await endOf(client)).toBe("ERR_STREAM_REFUSED");
});

test("a chunk beyond the credit ends the session", async () => {
  const client = await hostileClient(
    project,
    {
      routes: [
        on(upload, async ({ manifest }, _, session) => {
          // A sink that is never done: the credit is not renewed.
          await session.acceptStream(manifest, { write: () => new Promise(() => undefined) });
        }),
      ],
    },
    { server: { limits: { windowBytes: 65_536 } } },
  );
  const content = crypto.randomBytes(65_536);
  const twice = concatBytes(content, content);
  const options = { totalBytes: twice.length, chunkBytes: 65_536 };
  const manifest = await makeManifest(bytesSource(twice), options, { crypto, clock: client.clock });
  await client.sendInner(await client.signed({ type: 903, body: encode({ manifest }, registry) }));
  await client.clock.settle();

  const chunk = { streamId: manifest.streamId, data: content };
  await client.sendInner(writeChunk({ ...chunk, index: 0 }));
  expect(await endOf(client)).toBe("goes on");
  await client.sendInner(writeChunk({ ...chunk, index: 1 }));

  expect(await endOf(client)).toBe("ERR_STREAM_REFUSED");
});

test("credit for an unknown stream does nothing", async () => {
  const client = await anAttack();

  for (let index = 0; index < 200; index++) {
    await client.sendInner(writeCredit(crypto.randomBytes(16), 1));
  }

  expect(await endOf(client)).toBe("goes on");
});
