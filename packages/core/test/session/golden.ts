import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import {
  issueToken,
  type SignedMessage,
  sealObject,
  sealSigned,
  writeError,
  writeMessage,
} from "../../src/envelope/index.ts";
import type { Participant } from "../../src/pki/index.ts";
import type { CryptoProvider, SigningKey } from "../../src/platform/index.ts";
import { encodeClientHello, encodeOffer, encodeServerHello } from "../../src/session/handshake-payloads.ts";
import { writeWelcome } from "../../src/session/welcome.ts";
import { bytesSource, makeManifest, sealBlob, writeChunk, writeCredit } from "../../src/stream/index.ts";
import { virtualClock } from "../../src/testing/index.ts";
import { labelled, prologueOf, RecordSender } from "../../src/wire/index.ts";

// The wire format of version 1, byte for byte. scripts/wire-vectors.ts writes it to test/vectors/wire/version-1.json;
// the tests compare in every runtime. A difference is a change of the format: it needs a new version or is a mistake.

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);

/** Time at which everything here is issued: 2026-01-01T00:00:00Z. */
export const GOLDEN_TIME_MS: number = Date.UTC(2026, 0, 1);
/** Id of the session that everything here belongs to. */
export const GOLDEN_SID: Bytes = fill(32, 0x51);

/** Who speaks. The certificate is no certificate: only its digest stands in what is signed. */
export const GOLDEN_SITE: Participant = {
  project: "mnist",
  name: "site-1",
  org: "example",
  role: "site",
  leafDigest: fill(32, 0x11),
  chain: [fill(300, 0x30)],
};

/** A content of two and a bit chunks of 64 KiB. */
const content = (): Bytes => Uint8Array.from({ length: 131_099 }, (_, index) => (index * 7) & 0xff);

/** Everything that has one encoding: name to hexadecimal. Long byte strings stand as their SHA-256. */
export async function goldenBytes(crypto: CryptoProvider): Promise<Record<string, string>> {
  const bytes: Record<string, Bytes> = {
    label: labelled("message", utf8("x")),
    prologue: prologueOf("mnist"),
    offer: encodeOffer({ versions: [1], serverName: "hub" }),
    serverHello: encodeServerHello(
      {
        version: 1,
        versions: [1],
        chain: [fill(300, 0x30), fill(200, 0x31)],
        root: fill(250, 0x32),
        revocationList: undefined,
        algorithm: 1,
      },
      fill(64, 0x33),
    ),
    clientHello: encodeClientHello(
      {
        chain: [fill(300, 0x30)],
        enrolment: undefined,
        algorithm: 3,
        externalCredential: undefined,
        channelBinding: fill(32, 0x34),
      },
      fill(96, 0x33),
    ),
    enrolHello: encodeClientHello(
      {
        chain: [],
        enrolment: { request: fill(280, 0x35), code: fill(16, 0x36) },
        algorithm: 1,
        externalCredential: undefined,
        channelBinding: undefined,
      },
      fill(64, 0x33),
    ),
    welcome: writeWelcome({
      clientToken: fill(40, 1),
      serverToken: fill(40, 2),
      revocationNumbers: [],
      policyEpoch: 3,
      limits: { frameBytes: 1_049_600, streamBytes: 4_294_967_296, heartbeatMs: 15_000, silenceMs: 45_000 },
      serverClockMs: GOLDEN_TIME_MS,
      scope: "full",
    }),
    message: writeMessage(
      {
        type: 27,
        messageId: fill(16, 3),
        inReplyTo: fill(16, 4),
        scope: "job/1",
        tokenRef: fill(32, 5),
      },
      encode({ progress: 0.5 }, builtInRegistry()),
    ),
    error: writeError({ code: "ERR_BUSY", inReplyTo: fill(16, 3), retryAfterMs: 5000, detail: "later" }),
    chunk: writeChunk({ streamId: fill(16, 6), index: 70_000, data: utf8("data") }),
    credit: writeCredit(fill(16, 6), 8_388_608),
    ...(await goldenRecord(crypto)),
    ...(await goldenStream(crypto)),
  };
  const entries = Object.entries(bytes).map(async ([name, value]) => {
    const hex = value.byteLength > 2000 ? toHex(await crypto.sha256(value)) : toHex(value);
    return [name, hex] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function goldenRecord(crypto: CryptoProvider): Promise<Record<string, Bytes>> {
  const sender = new RecordSender(await crypto.importAesGcmKey(fill(32, 7)), { crypto });
  const session0 = await sender.seal(writeCredit(fill(16, 6), 1));
  return { session0, session1: await sender.seal(writeCredit(fill(16, 6), 1)) };
}

async function goldenStream(crypto: CryptoProvider): Promise<Record<string, Bytes>> {
  let drawn = 0;
  const fixed: CryptoProvider = { ...crypto, randomBytes: (length) => fill(length, ++drawn) };
  const modules = { crypto: fixed, clock: virtualClock() };
  const bytes = content();
  const sizes = { totalBytes: bytes.length, chunkBytes: 65_536 };
  const manifest = await makeManifest(bytesSource(bytes), sizes, modules);
  const { blob } = await sealBlob(bytesSource(bytes), { ...sizes, project: "mnist" }, modules);
  return {
    manifestRoot: manifest.root,
    manifestLeaves: manifest.leaves,
    blobRoot: blob.root,
    blobLeaves: blob.leaves,
    blobFrames: concatBytes(...blob.frames),
  };
}

/** What is signed: signatures differ from time to time, so these are kept and opened, not compared. */
export interface GoldenSigned {
  /** SubjectPublicKeyInfo of the site and of the server. */
  readonly siteKey: string;
  readonly serverKey: string;
  readonly token: string;
  readonly signed: string;
  readonly object: string;
}

/** The message that {@link GoldenSigned} holds. */
export function goldenMessage(tokenRef: Bytes): SignedMessage {
  return {
    project: "mnist",
    from: "site-1",
    to: "hub",
    sid: GOLDEN_SID,
    direction: 0,
    issuedAt: GOLDEN_TIME_MS,
    tokenRef,
    type: 28,
    messageId: fill(16, 8),
    inReplyTo: fill(16, 9),
    scope: "job/1",
    body: encode({ exampleCount: 3333 }, builtInRegistry()),
  };
}

/** Makes what is signed, by fresh keys. */
export async function makeGoldenSigned(crypto: CryptoProvider): Promise<GoldenSigned> {
  const key: SigningKey = await crypto.generateSigningKey(1);
  const serverKey = await crypto.generateSigningKey(3);
  const token = await issueToken(
    {
      holder: GOLDEN_SITE,
      sid: GOLDEN_SID,
      nowMs: GOLDEN_TIME_MS,
      serverKeyId: await crypto.sha256(serverKey.publicKey),
    },
    { key: serverKey, crypto },
  );
  const object = await sealObject(
    {
      objectType: 1,
      audience: "all",
      objectId: fill(16, 10),
      issuedAt: GOLDEN_TIME_MS,
      lifetimeMs: 86_400_000,
      scope: "job/1",
      payload: encode({ name: "mnist" }, builtInRegistry()),
    },
    { identity: { participant: GOLDEN_SITE, signingKey: key }, crypto },
  );
  return {
    siteKey: toHex(key.publicKey),
    serverKey: toHex(serverKey.publicKey),
    token: toHex(token.bytes),
    signed: toHex(await sealSigned(goldenMessage(token.ref), { key, crypto })),
    object: toHex(object),
  };
}

/** Bytes of a golden field. */
export const golden = (hex: string): Bytes => fromHex(hex);
