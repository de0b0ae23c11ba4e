import { expect, test } from "vitest";
import { type Bytes, toHex, utf8 } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
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

test("a key ends at its limits instead of repeating a counter", async () => {
  const { sender, receiver } = await aDirection({ frames: 66, bytes: 1e12 });
  const frames: Bytes[] = [];
  for (let index = 0; index < 66; index++) {
    expect(sender.nearLimit).toBe(index >= 2);
    frames.push(await sender.seal(utf8("x")));
  }

  await expect(sender.seal(utf8("x"))).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
  for (const frame of frames) await open(receiver, frame);
  expect(receiver.nearLimit).toBe(true);
  await expect(open(receiver, frames[0]!)).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
});

test("a key ends at its number of bytes", async () => {
  const { sender } = await aDirection({ frames: 1e6, bytes: 10 });
  await sender.seal(new Uint8Array(8));

  await expect(sender.seal(new Uint8Array(3))).rejects.toMatchObject({ code: "ERR_GOING_AWAY" });
});

test("sealing more than a frame holds is a fault of the caller", async () => {
  const { sender } = await aDirection();

  await expect(sender.seal(new Uint8Array(MAX_INNER_FRAME_BYTES + 1))).rejects.toThrow(RangeError);
});
