import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex, utf8 } from "../../src/bytes/index.ts";
import { writePositional } from "../../src/decomposer/index.ts";
import {
  issueToken,
  openSigned,
  readSignedHeader,
  SeenMessages,
  type SignedHeader,
  type SignedMessage,
  sealSigned,
  signatureLength,
  TokenBook,
} from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { TEST_EPOCH_MS, testProject } from "../../src/testing/index.ts";
import { type Frame, readFrame } from "../../src/wire/index.ts";
import { countingCrypto } from "../stream/counting-crypto.ts";

const crypto = webCrypto();
const { server, sites } = await testProject();
const site = sites.get("site-1")!;
const sid = crypto.randomBytes(32);
const token = await issueToken(
  { holder: site.participant, sid, nowMs: TEST_EPOCH_MS, serverKeyId: new Uint8Array(32) },
  { key: server.signingKey, crypto },
);
const tokens = new TokenBook();
tokens.add(token);

const message: SignedMessage = {
  project: "test",
  from: "site-1",
  to: "hub",
  sid,
  direction: 0,
  issuedAt: TEST_EPOCH_MS,
  tokenRef: token.ref,
  type: 26,
  messageId: new Uint8Array(16).fill(1),
  inReplyTo: undefined,
  scope: undefined,
  body: utf8("body"),
};

const seal = async (change: Partial<SignedMessage> = {}): Promise<Frame> =>
  readFrame(await sealSigned({ ...message, ...change }, { key: site.signingKey, crypto }));

async function open(
  frame: Frame,
  seen = new SeenMessages(),
  algorithm: 1 | 3 = 1,
  times: Partial<Pick<SignedHeader, "issuedAt" | "expiresAt">> = {},
): Promise<void> {
  const verifyingKey = await crypto.importVerifyingKey(site.signingKey.publicKey, 1);
  await openSigned(
    frame,
    { ...readSignedHeader(frame.header), ...times },
    {
      project: "test",
      from: "site-1",
      to: "hub",
      sid,
      direction: 0,
      tokens,
      seen,
      verifyingKey: { ...verifyingKey, algorithm },
      nowMs: TEST_EPOCH_MS,
      crypto,
    },
  );
}

const anyMessage = fc.record({
  project: fc.string({ minLength: 1, maxLength: 30, unit: "grapheme-ascii" }),
  from: fc.string({ minLength: 1, maxLength: 30, unit: "grapheme-ascii" }),
  to: fc.string({ minLength: 1, maxLength: 30, unit: "grapheme-ascii" }),
  direction: fc.constantFrom(0 as const, 1 as const),
  issuedAt: fc.nat({ max: 2 ** 42 }),
  type: fc.integer({ min: 1, max: 65_535 }),
  scope: fc.option(fc.string({ maxLength: 30, unit: "grapheme-ascii" }), { nil: undefined }),
  body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)),
});

test("a header says what was sealed", async () => {
  await fc.assert(
    fc.asyncProperty(anyMessage, async (change) => {
      const frame = await seal(change);
      const { body, ...fields } = { ...message, ...change };

      expect(readSignedHeader(frame.header)).toMatchObject(fields);
      expect(toHex(frame.payload)).toBe(toHex(body));
    }),
    { numRuns: 30 },
  );
});

test("opens what the author sealed: one hash, one signature, one verification", async () => {
  const counting = countingCrypto(crypto);

  const bytes = await sealSigned(message, { key: site.signingKey, crypto: counting.crypto });

  expect(counting.counts).toEqual({ sha256: 1, sign: 1 });
  await expect(open(readFrame(bytes))).resolves.toBeUndefined();
});

test("refuses every altered byte of header and signature", async () => {
  const bytes = await sealSigned(message, { key: site.signingKey, crypto });
  const end = bytes.length - message.body.length;

  for (let position = 12; position < end; position += 5) {
    const altered = Uint8Array.from(bytes);
    altered[position]! ^= 1;
    await expect((async () => open(readFrame(altered)))(), `byte ${position}`).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_/),
    });
  }
});

test("refuses a signature by an algorithm other than the certificate's", async () => {
  await expect(open(await seal(), undefined, 3)).rejects.toMatchObject({
    code: "ERR_ENVELOPE_SIGNATURE_INVALID",
  });
});

// What its header says of time is looked at before the signature, which is over the bytes as they came.
const at = (afterMs: number): number => TEST_EPOCH_MS + afterMs;
test.for([
  ["issued over a minute ago", { issuedAt: at(-60_001) }],
  ["issued over a minute ahead", { issuedAt: at(60_001), expiresAt: at(60_002) }],
  ["that expires now", { issuedAt: at(-1000), expiresAt: at(0) }],
  ["of more than ten minutes", { issuedAt: at(0), expiresAt: at(600_001) }],
] as const)("refuses a message %s", async ([, times]) => {
  await expect(open(await seal(), undefined, 1, times)).rejects.toMatchObject({ code: "ERR_ENVELOPE_STALE" });
});

test.for([
  ["issued a minute ago", { issuedAt: at(-60_000), expiresAt: at(1) }],
  ["issued a minute ahead", { issuedAt: at(60_000), expiresAt: at(60_001) }],
  ["of ten minutes", { issuedAt: at(0), expiresAt: at(600_000) }],
] as const)("opens a message %s", async ([, times]) => {
  await expect(open(await seal(), undefined, 1, times)).resolves.toBeUndefined();
});

test("refuses an id that was handled, and looks before it verifies", async () => {
  const seen = new SeenMessages();
  seen.record(message.messageId, { expiresAt: TEST_EPOCH_MS + 1000, nowMs: TEST_EPOCH_MS });
  const frame = await seal();
  const forged = { ...frame, tag: new Uint8Array(64) };

  await expect(open(forged, seen)).rejects.toMatchObject({ code: "ERR_ENVELOPE_REPLAYED" });
});

test.for([
  ["another codec", [0, 0, 4, 4]],
  ["compression", [1, 1, 4, 4]],
  ["another length", [1, 0, 5, 5]],
  ["another raw length", [1, 0, 4, 400]],
  ["chunks", [1, 0, 4, 4], 65_536],
] as const)("refuses a payload described with %s", async ([, numbers, chunkSize = 0]) => {
  const { describePayload, requirePayload } = await import("../../src/envelope/index.ts");
  const [codec = 0, compression = 0, length = 0, rawLength = 0] = numbers;
  const honest = await describePayload(message.body, crypto);

  await expect(requirePayload(honest, message.body, crypto)).resolves.toBeUndefined();
  await expect(
    requirePayload({ ...honest, codec, compression, length, rawLength, chunkSize }, message.body, crypto),
  ).rejects.toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
});

test("headers of hostile bytes are refused, never misread", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (hostile) => {
      expect(() => readSignedHeader(Uint8Array.from(hostile))).toThrow(
        expect.objectContaining({ code: "ERR_DECODE_REFUSED" }),
      );
    }),
  );
  expect(() => readSignedHeader(writePositional([2, 1]))).toThrow(
    expect.objectContaining({ code: "ERR_DECODE_REFUSED" }),
  );
});

test("ids are forgotten when their messages could not be accepted anyway", () => {
  const seen = new SeenMessages();
  const [first, second] = [new Uint8Array(16), new Uint8Array(16).fill(2)];
  expect(seen.record(first, { expiresAt: 100_000, nowMs: 0 })).toBe(true);
  expect(seen.record(first, { expiresAt: 100_000, nowMs: 1 })).toBe(false);

  seen.record(second, { expiresAt: 300_000, nowMs: 200_000 });

  expect(seen.has(first)).toBe(false);
  expect(seen.has(second)).toBe(true);
});

test("signatures have the length of their key", async () => {
  for (const algorithm of [1, 2, 3] as const) {
    const key = await crypto.generateSigningKey(algorithm, { modulusLength: 2048 });
    const signature = await crypto.sign(key, utf8("x"));
    expect(signatureLength(key)).toBe(signature.byteLength);
  }
});
