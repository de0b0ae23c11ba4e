import { expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import {
  identifyObject,
  openSigned,
  readSignedHeader,
  SeenMessages,
  TokenBook,
  verifyToken,
} from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { labelled, readFrame } from "../../src/wire/index.ts";
import version1 from "../vectors/wire/version-1.json" with { type: "json" };
import { GOLDEN_SID, GOLDEN_SITE, GOLDEN_TIME_MS, golden, goldenBytes, goldenMessage } from "./golden.ts";

const crypto = webCrypto();
const { signed } = version1;
const serverKey = await crypto.importVerifyingKey(golden(signed.serverKey), 3);
const siteKey = await crypto.importVerifyingKey(golden(signed.siteKey), 1);
const token = await verifyToken(
  golden(signed.token),
  {
    holder: GOLDEN_SITE,
    sid: GOLDEN_SID,
    nowMs: GOLDEN_TIME_MS,
    serverKey,
    serverKeyId: await crypto.sha256(golden(signed.serverKey)),
  },
  crypto,
);

test("every encoding of version 1 is byte for byte what it was", async () => {
  expect(await goldenBytes(crypto)).toEqual(version1.bytes);
});

test("a token of version 1 verifies, signed by P-384", () => {
  expect(token.token).toMatchObject({ name: "site-1", algorithm: 3, scopes: ["full"] });
});

test("a SIGNED frame of version 1 opens and says what it said", async () => {
  const frame = readFrame(golden(signed.signed));
  const header = readSignedHeader(frame.header);
  const tokens = new TokenBook();
  tokens.add(token);

  await openSigned(frame, header, {
    project: "mnist",
    from: "site-1",
    to: "hub",
    sid: GOLDEN_SID,
    direction: 0,
    tokens,
    seen: new SeenMessages(),
    verifyingKey: siteKey,
    nowMs: GOLDEN_TIME_MS,
    crypto,
  });

  const { body, ...fields } = goldenMessage(token.ref);
  expect(header).toMatchObject(fields);
  expect(toHex(frame.payload)).toBe(toHex(body));
});

test("an OBJECT of version 1 is signed over its prefix and header", async () => {
  const bytes = golden(signed.object);
  const frame = readFrame(bytes);

  expect(identifyObject(bytes).signer).toEqual(GOLDEN_SITE.leafDigest);
  expect(await crypto.verify(siteKey, frame.tag, labelled("object", frame.prefix, frame.header))).toBe(true);
});
