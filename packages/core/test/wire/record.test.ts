import { expect, test } from "vitest";
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  counterNonce,
  FRAME_KIND,
  MAX_INNER_FRAME_BYTES,
  type RecordLimits,
  RecordReceiver,
  RecordSender,
  readFrame,
} from "../../src/wire/index.ts";

const crypto = webCrypto();

async function aDirection(
  limits?: RecordLimits,
): Promise<{ sender: RecordSender; receiver: RecordReceiver }> {
  const key = await crypto.importAesGcmKey(new Uint8Array(32).fill(7));
  return {
    sender: new RecordSender(key, { crypto }, limits),
    receiver: new RecordReceiver(key, { crypto }, limits),
  };
}

const open = (receiver: RecordReceiver, bytes: Bytes): Promise<Bytes> => receiver.open(readFrame(bytes));
const NEXT_KEY = "f590782fc76a17d3847d154b6418cbf8a061f73ed7fd25db47b2e9b0cfb4b7c3";
const gap = { code: "ERR_SEQUENCE_GAP" };

test("opens what was sealed, in order, with 28 bytes on top", async () => {
  const { sender, receiver } = await aDirection();

  for (const text of ["first", "second", ""]) {
    const frame = await sender.seal(utf8(text));
    expect(frame.byteLength).toBe(text.length + 28);
    expect(await open(receiver, frame)).toEqual(utf8(text));
  }
});

test("the same content never looks the same twice", async () => {
  const { sender } = await aDirection();

  expect(toHex(await sender.seal(utf8("x")))).not.toBe(toHex(await sender.seal(utf8("x"))));
});

test("frames sealed at once keep the order of the calls", async () => {
  const { sender, receiver } = await aDirection();
  const frames = await Promise.all(["a", "b", "c"].map((text) => sender.seal(utf8(text))));

  for (const [index, frame] of frames.entries()) {
    expect(await open(receiver, frame)).toEqual(utf8("abc"[index] ?? ""));
  }
});

test("refuses a frame with any byte altered", async () => {
  const { sender } = await aDirection();
  const frame = await sender.seal(utf8("content"));

  for (let position = 0; position < frame.length; position++) {
    const altered = Uint8Array.from(frame);
    altered[position]! ^= 1;
    const { receiver } = await aDirection();
    await expect((async () => open(receiver, altered))()).rejects.toMatchObject({ name: "WireError" });
  }
});

test("refuses a replayed, a reordered and a dropped frame", async () => {
  const { sender } = await aDirection();
  const first = await sender.seal(utf8("1"));
  const second = await sender.seal(utf8("2"));

  const replayed = (await aDirection()).receiver;
  await open(replayed, first);
  await expect(open(replayed, first)).rejects.toMatchObject(gap);
  const reordered = (await aDirection()).receiver;
  await expect(open(reordered, second)).rejects.toMatchObject(gap);
});

test("refuses a SESSION frame with a header or a tag of another length", async () => {
  const { receiver } = await aDirection();
  const frame = readFrame(await (await aDirection()).sender.seal(utf8("x")));
  const malformed = { code: "ERR_FRAME_MALFORMED" };

  await expect(receiver.open({ ...frame, header: utf8("h") })).rejects.toMatchObject(malformed);
  await expect(receiver.open({ ...frame, tag: new Uint8Array(15) })).rejects.toMatchObject(malformed);
});

const RECORD_LIMITS_OF_TESTS = { frames: 4, bytes: 1e12, ageMs: 1e9 };

test("a key carries its number of frames, REKEY the last of them, and the counter goes on under the next", async () => {
  const { sender, receiver } = await aDirection(RECORD_LIMITS_OF_TESTS);

  for (let key = 0; key < 3; key++) {
    for (let index = 0; index < 3; index++) {
      expect(sender.isRekeyDue(1)).toBe(false);
      expect(await open(receiver, await sender.seal(utf8("x")))).toEqual(utf8("x"));
    }
    expect(sender.isRekeyDue(1)).toBe(true);
    expect(readFrame(await open(receiver, await sender.rekey())).kind).toBe(FRAME_KIND.rekey);
    await receiver.rekey();
  }
});

test("the next key is that of Noise's REKEY, at the counter that follows", async () => {
  const { sender } = await aDirection();
  // AES-256-GCM of 32 zero bytes under 32 bytes of 7, iv 00000000 ffffffffffffffff, computed with OpenSSL
  const next = await crypto.importAesGcmKey(fromHex(NEXT_KEY));
  await sender.rekey();

  const frame = readFrame(await sender.seal(utf8("x")));

  const sealed = concatBytes(frame.payload, frame.tag);
  expect(await crypto.aesGcmOpen(next, counterNonce(1), sealed, frame.prefix)).toEqual(utf8("x"));
  expect(await crypto.aesGcmOpen(next, counterNonce(0), sealed, frame.prefix)).toBeUndefined();
});

test("a frame under the old key is refused after REKEY, and one under the next key before it", async () => {
  const honest = await aDirection();
  const late = await aDirection();
  const rekey = await honest.sender.rekey();
  await late.sender.seal(utf8("takes the counter of REKEY"));
  const underOldKey = await late.sender.seal(utf8("x"));
  const underNextKey = await honest.sender.seal(utf8("x"));

  await expect(open((await aDirection()).receiver, underNextKey)).rejects.toMatchObject(gap);
  await open(honest.receiver, rekey);
  await honest.receiver.rekey();
  await expect(open(honest.receiver, underOldKey)).rejects.toMatchObject(gap);
});

test("a key that is not changed ends at its limits instead of repeating a counter", async () => {
  const { sender, receiver } = await aDirection(RECORD_LIMITS_OF_TESTS);
  const frames: Bytes[] = [];
  for (let index = 0; index < 4; index++) frames.push(await sender.seal(utf8("x")));

  await expect(sender.seal(utf8("x"))).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
  for (const frame of frames) await open(receiver, frame);
  await expect(open(receiver, frames[0]!)).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
});

test("a key ends at its number of bytes", async () => {
  const { sender } = await aDirection({ frames: 1e6, bytes: 10, ageMs: 1e9 });
  await sender.seal(new Uint8Array(8));
  expect(sender.isRekeyDue(1)).toBe(true);

  await expect(sender.seal(new Uint8Array(3))).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
});

test("sealing more than a frame holds is a fault of the caller", async () => {
  const { sender } = await aDirection();

  await expect(sender.seal(new Uint8Array(MAX_INNER_FRAME_BYTES + 1))).rejects.toThrow(RangeError);
});
