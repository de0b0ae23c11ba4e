import { expect, test } from "vitest";
import { type Bytes, toHex } from "../../src/bytes/index.ts";
import { writePositional } from "../../src/decomposer/index.ts";
import { issueToken, TOKEN_LIFETIME_MS, TokenBook, verifyToken } from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { TEST_EPOCH_MS, testProject } from "../../src/testing/index.ts";
import { labelled } from "../../src/wire/index.ts";

const crypto = webCrypto();
const { server, sites } = await testProject();
const holder = sites.get("site-1")!.participant;
const serverKey = await crypto.importVerifyingKey(server.signingKey.publicKey, 1);
const serverKeyId = await crypto.sha256(server.signingKey.publicKey);
const sid = crypto.randomBytes(32);
const nowMs = TEST_EPOCH_MS;
const issuing = { key: server.signingKey, crypto };
const request = { holder, sid, nowMs, serverKeyId };
const expected = { holder, sid, nowMs, serverKey, serverKeyId };

test("a token says who acts in which session, and is verified by the server's key", async () => {
  const issued = await issueToken(request, issuing);

  const verified = await verifyToken(issued.bytes, expected, crypto);

  expect(verified).toEqual(issued);
  expect(verified.token).toMatchObject({ name: "site-1", role: "site", org: "example", project: "test" });
  expect(toHex(verified.token.confirmation)).toBe(toHex(holder.leafDigest));
  expect(verified.token.expiresAt - verified.token.issuedAt).toBe(TOKEN_LIFETIME_MS);
});

test("two tokens of one holder have different references", async () => {
  const [first, second] = [await issueToken(request, issuing), await issueToken(request, issuing)];

  expect(toHex(first.ref)).not.toBe(toHex(second.ref));
});

test.for([
  ["another session", { sid: new Uint8Array(32) }],
  ["another certificate of the same name", { holder: { ...holder, leafDigest: new Uint8Array(32) } }],
  ["another name", { holder: { ...holder, name: "site-2" } }],
  ["another role", { holder: { ...holder, role: "lead" as const } }],
  ["another organization", { holder: { ...holder, org: "elsewhere" } }],
  ["another project", { holder: { ...holder, project: "other" } }],
  ["another server", { serverKeyId: new Uint8Array(32) }],
] as const)("refuses a token for %s", async ([, change]) => {
  const { bytes } = await issueToken(request, issuing);

  await expect(verifyToken(bytes, { ...expected, ...change }, crypto)).rejects.toMatchObject({
    code: "ERR_TOKEN_UNKNOWN",
  });
});

test.for([
  ["that has expired", TOKEN_LIFETIME_MS],
  ["that is not valid yet", -60_001],
] as const)("refuses a token %s", async ([, after]) => {
  const { bytes } = await issueToken(request, issuing);

  await expect(verifyToken(bytes, { ...expected, nowMs: nowMs + after }, crypto)).rejects.toMatchObject({
    code: "ERR_TOKEN_EXPIRED",
  });
});

test("refuses a token that somebody else signed, and one with any byte altered", async () => {
  const forged = await issueToken(request, { key: sites.get("site-2")!.signingKey, crypto });
  await expect(verifyToken(forged.bytes, expected, crypto)).rejects.toMatchObject({
    code: "ERR_TOKEN_UNKNOWN",
  });
  const { bytes } = await issueToken(request, issuing);
  for (let position = 0; position < bytes.length; position += 7) {
    const altered = Uint8Array.from(bytes);
    altered[position]! ^= 1;
    await expect(verifyToken(altered, expected, crypto)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(TOKEN_UNKNOWN|DECODE_REFUSED)$/),
    });
  }
});

test("refuses what is signed by the server but is no token", async () => {
  const array = writePositional([1, 2, 3]);
  const signature = (await crypto.sign(server.signingKey, labelled("token", array))) as Bytes;

  await expect(verifyToken(writePositional([array, signature]), expected, crypto)).rejects.toMatchObject({
    code: "ERR_DECODE_REFUSED",
  });
});

test("a signature of another purpose is not one of a token", async () => {
  const { token, bytes } = await issueToken(request, issuing);
  const array = bytes.slice(3, bytes.length - 66);
  const signature = (await crypto.sign(server.signingKey, labelled("object", array))) as Bytes;

  expect(token.project).toBe("test");
  await expect(verifyToken(writePositional([array, signature]), expected, crypto)).rejects.toMatchObject({
    code: "ERR_TOKEN_UNKNOWN",
  });
});

test("a book knows old and new tokens until they expire, and no others", async () => {
  const book = new TokenBook();
  const [first, second] = [await issueToken(request, issuing), await issueToken(request, issuing)];
  const stranger = await issueToken(request, issuing);
  expect(book.newest).toBeUndefined();
  book.add(first);
  book.add(second);

  const kept = ({ token: { issuedAt, notBefore, expiresAt } }: typeof first) => ({
    issuedAt,
    notBefore,
    expiresAt,
  });
  expect(book.newestRef).toEqual(second.ref);
  expect(book.newest).toEqual(kept(second));
  expect(book.require(first.ref, nowMs)).toEqual(kept(first));
  expect(book.require(second.ref, nowMs)).toEqual(kept(second));
  expect(() => book.require(stranger.ref, nowMs)).toThrow(
    expect.objectContaining({ code: "ERR_TOKEN_UNKNOWN" }),
  );
  for (const timeMs of [nowMs + TOKEN_LIFETIME_MS, first.token.notBefore - 1]) {
    expect(() => book.require(first.ref, timeMs)).toThrow(
      expect.objectContaining({ code: "ERR_TOKEN_EXPIRED" }),
    );
  }
  expect(book.require(first.ref, first.token.notBefore)).toEqual(kept(first));
});

test("a book drops what has long expired when a newer token comes", async () => {
  const book = new TokenBook();
  const first = await issueToken(request, issuing);
  const later = (afterMs: number) => issueToken({ ...request, nowMs: nowMs + afterMs }, issuing);
  book.add(first);
  const lateMs = TOKEN_LIFETIME_MS + 59_999; // kept a minute longer than it counts
  book.add(await later(lateMs));
  expect(() => book.require(first.ref, nowMs + lateMs)).toThrow(
    expect.objectContaining({ code: "ERR_TOKEN_EXPIRED" }),
  );

  book.add(await later(lateMs + 1));

  expect(() => book.require(first.ref, nowMs + lateMs + 1)).toThrow(
    expect.objectContaining({ code: "ERR_TOKEN_UNKNOWN" }),
  );
});

test("no reference but a whole one is of a token", async () => {
  const book = new TokenBook();
  const { ref, token } = await issueToken(request, issuing);
  book.add({ ref, token });

  for (const part of [new Uint8Array(0), ref.slice(0, 31), new Uint8Array([...ref, 0])]) {
    expect(() => book.require(part, nowMs)).toThrow(expect.objectContaining({ code: "ERR_TOKEN_UNKNOWN" }));
  }
});

test("a book does not grow without end", async () => {
  const book = new TokenBook();
  const first = await issueToken(request, issuing);
  book.add(first);
  for (let index = 0; index < 8; index++) book.add(await issueToken(request, issuing));

  expect(() => book.require(first.ref, nowMs)).toThrow(
    expect.objectContaining({ code: "ERR_TOKEN_UNKNOWN" }),
  );
});
