import { type Bytes, fromHex, toHex } from "@photinus/core/bytes";
import {
  ChainDirectory,
  memoryReplayStore,
  ObjectVerifier,
  openSigned,
  readError,
  readSignedHeader,
  SeenMessages,
  TokenBook,
  type TokenExpectations,
  verifyToken,
  wireCodeOf,
} from "@photinus/core/envelope";
import { type Participant, verifyChain } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import {
  bytesSink,
  checkManifest,
  openBlob,
  readChunk,
  readCredit,
  restoreBlob,
} from "@photinus/core/stream";
import { virtualClock } from "@photinus/core/testing";
import {
  HandshakeState,
  labelled,
  prologueOf,
  RecordReceiver,
  RecordSender,
  readFrame,
} from "@photinus/core/wire";
import { describe, expect, test } from "vitest";
import blobs from "../../../../test/vectors/wire/blobs.json" with { type: "json" };
import errors from "../../../../test/vectors/wire/errors.json" with { type: "json" };
import frames from "../../../../test/vectors/wire/frames.json" with { type: "json" };
import handshake from "../../../../test/vectors/wire/handshake.json" with { type: "json" };
import objects from "../../../../test/vectors/wire/objects.json" with { type: "json" };
import people from "../../../../test/vectors/wire/participants.json" with { type: "json" };
import session from "../../../../test/vectors/wire/session.json" with { type: "json" };
import signed from "../../../../test/vectors/wire/signed.json" with { type: "json" };
import streams from "../../../../test/vectors/wire/streams.json" with { type: "json" };
import tokens from "../../../../test/vectors/wire/tokens.json" with { type: "json" };
import { codeOf } from "./wire-code.ts";

// The published vectors under this runtime's cryptography: what other implementations are held to holds here as well.

const crypto = webCrypto();
const { project, nowMs } = people;
const root = fromHex(people.root);

type Described = (typeof people)["site"];
const verify = (described: Described, usage: "client" | "server") =>
  verifyChain(described.chain.map(fromHex), { root, project, usage, nowMs }, { crypto });
const server = await verify(people.server, "server");
const holders: ReadonlyMap<string, Participant> = new Map(
  (await Promise.all([people.site, people.user].map((described) => verify(described, "client")))).map(
    ({ participant }) => [participant.name, participant],
  ),
);
const site = holders.get("site-1");
if (site === undefined) throw new TypeError("the vectors have a site");

test("the certificates verify, and are of those who are named", async () => {
  for (const described of [people.site, people.enrolledSite, people.user]) {
    const { participant } = await verify(described, "client");
    expect(participant).toMatchObject({ name: described.name, role: described.role, org: described.org });
    expect(toHex(participant.leafDigest)).toBe(described.leafDigest);
  }
  expect(server.participant).toMatchObject({ name: people.server.name, role: "server" });
  const second = await verify({ ...people.site, chain: [people.secondFormOfSite] }, "client");
  expect(toHex(second.participant.leafDigest)).toBe(people.site.leafDigest);
});

describe("frames", () => {
  test.each(frames.frames)("$name is taken apart", ({ kind, header, tag, payload, bytes }) => {
    const frame = readFrame(fromHex(bytes));

    expect(frame.kind).toBe(kind);
    expect([toHex(frame.header), toHex(frame.tag), toHex(frame.payload)]).toEqual([header, tag, payload]);
  });

  test.each(frames.refused)("$name is refused by $code", async ({ bytes, code }) => {
    expect(await codeOf(() => readFrame(fromHex(bytes)))).toBe(code);
  });

  test("labels and prologues are these bytes", () => {
    for (const { context, content, bytes } of frames.labels) {
      expect(toHex(labelled(context as "token", fromHex(content)))).toBe(bytes);
    }
    for (const each of frames.prologues) expect(toHex(prologueOf(each.project))).toBe(each.bytes);
  });
});

test("the handshake of both sides is the published one, to the keys of the session", async () => {
  const keyOf = async (privateKey: string, publicKey: string) =>
    await crypto.importAgreementKey(fromHex(privateKey), fromHex(publicKey));
  // Public keys are in the frames: the ephemeral ones in clear, the static ones the other side decrypts.
  const [first, second] = handshake.messages.map(({ frame }) => readFrame(fromHex(frame)).payload);
  const start = async (initiator: boolean, side: typeof handshake.client, ephemeral: Bytes) =>
    await HandshakeState.start(
      {
        initiator,
        prologue: fromHex(handshake.prologue),
        staticKey: await keyOf(side.staticPrivateKey, side.staticPublicKey),
        ephemeralKey: await keyOf(side.ephemeralPrivateKey, toHex(ephemeral)),
      },
      { crypto },
    );
  if (first === undefined || second === undefined) throw new TypeError("there are three messages");
  const client = await start(true, handshake.client, first.slice(0, 32));
  const hub = await start(false, handshake.server, second.slice(0, 32));

  for (const { from, frame, hash, payload } of handshake.messages) {
    const [writer, reader] = from === "client" ? [client, hub] : [hub, client];
    const message = readFrame(fromHex(frame)).payload;
    const tokensOf = await writer.writeTokens();
    const rest = await reader.readTokens(message);
    expect(toHex(reader.hash)).toBe(hash);
    expect(toHex(await reader.readPayload(rest))).toBe(payload);
    expect(toHex(tokensOf) + toHex(await writer.writePayload(fromHex(payload)))).toBe(toHex(message));
  }

  const keys = await hub.split();
  expect(toHex(keys.handshakeHash)).toBe(handshake.sid);
  expect([toHex(keys.receive), toHex(keys.send)]).toEqual([
    handshake.clientToServerKey,
    handshake.serverToClientKey,
  ]);
});

test("the session opens frame by frame, through a change of keys, and is sealed to the same bytes", async () => {
  const imported = async (key: string) => await crypto.importAesGcmKey(fromHex(key));
  const both = async (key: string) => ({
    receiver: new RecordReceiver(await imported(key), { crypto }),
    sender: new RecordSender(await imported(key), { crypto }),
  });
  const directions = {
    client: await both(handshake.clientToServerKey),
    server: await both(handshake.serverToClientKey),
  };
  const kinds = new Set<number>();
  for (const { from, inner, innerKind, frame } of session.frames) {
    if (inner === undefined) continue;
    const { receiver, sender } = from === "client" ? directions.client : directions.server;
    expect(toHex(await receiver.open(readFrame(fromHex(frame))))).toBe(inner);
    const isRekey = innerKind === 9;
    if (isRekey) await receiver.rekey();
    expect(toHex(await (isRekey ? sender.rekey() : sender.seal(fromHex(inner))))).toBe(frame);
    kinds.add(innerKind);
  }
  expect([4, 6, 7, 8, 9, 10, 11, 12, 13].filter((kind) => !kinds.has(kind))).toEqual([]);
});

const expectations = async (): Promise<TokenExpectations> => ({
  holder: site,
  sid: fromHex(tokens.sid),
  nowMs: tokens.nowMs,
  serverKey: server.verifyingKey,
  serverKeyId: await crypto.sha256(server.publicKey),
});

describe("tokens", () => {
  test("the token verifies under its reference", async () => {
    const { ref } = await verifyToken(fromHex(tokens.token), await expectations(), crypto);

    expect(toHex(ref)).toBe(tokens.tokenRef);
  });

  test.each(tokens.refused)("$name it is refused by $code", async ({ token, sid, holder, code, ...at }) => {
    const expected = {
      ...(await expectations()),
      sid: fromHex(sid),
      holder: holders.get(holder) ?? site,
      nowMs: at.nowMs,
    };

    expect(await codeOf(() => verifyToken(fromHex(token), expected, crypto))).toBe(code);
  });
});

describe("SIGNED", () => {
  async function open(frame: Bytes): Promise<void> {
    const book = new TokenBook();
    book.add(await verifyToken(fromHex(tokens.token), await expectations(), crypto));
    const parts = readFrame(frame);
    await openSigned(parts, readSignedHeader(parts.header), {
      project,
      from: signed.from,
      to: signed.to,
      sid: fromHex(signed.sid),
      direction: 0,
      tokens: book,
      seen: new SeenMessages(),
      verifyingKey: await crypto.importVerifyingKey(fromHex(people.site.publicKey), 1),
      nowMs: signed.nowMs,
      crypto,
    });
  }

  test("the frame opens", async () => {
    expect(await codeOf(() => open(fromHex(signed.frame)))).toBeUndefined();
  });

  test.each(signed.refused)("a frame $name is refused by $code", async ({ frame, code }) => {
    expect(await codeOf(() => open(fromHex(frame)))).toBe(code);
  });
});

describe("OBJECT", () => {
  async function open(object: Bytes, atMs: number): Promise<void> {
    const chains = new ChainDirectory({ project, root }, { crypto });
    await chains.add(people.user.chain.map(fromHex), atMs);
    await chains.add(people.server.chain.map(fromHex), atMs);
    const rules = new Map([
      [1, { signers: ["lead"] as const, maximumLifetimeMs: 2_592_000_000, counted: false }],
    ]);
    const replay = memoryReplayStore({ clock: virtualClock({ startMs: atMs }) });
    const verifier = new ObjectVerifier({ project, self: "site-1", rules }, { crypto, chains, replay });
    await verifier.open(object, atMs);
  }

  test("the object opens", async () => {
    expect(await codeOf(() => open(fromHex(objects.object), objects.nowMs))).toBeUndefined();
  });

  test.each(objects.refused)("an object $name is refused by $code", async ({ object, code, ...at }) => {
    expect(await codeOf(() => open(fromHex(object), at.nowMs))).toBe(code);
  });
});

type ManifestHex = (typeof streams.manifests)[number];
const manifestOf = ({ streamId, chunkBytes, totalBytes, leaves, root: top }: ManifestHex) => ({
  streamId: fromHex(streamId),
  chunkBytes,
  totalBytes,
  leaves: fromHex(leaves),
  root: fromHex(top),
});

describe("streams and blobs", () => {
  test("manifests, chunks and credit are read", async () => {
    for (const manifest of streams.manifests) await checkManifest(manifestOf(manifest), 2 ** 40, crypto);
    for (const { frame, index, data } of streams.chunks) {
      expect(readChunk(readFrame(fromHex(frame)))).toMatchObject({ index, data: fromHex(data) });
    }
    for (const { frame, bytes } of streams.credits) {
      expect(readCredit(readFrame(fromHex(frame))).bytes).toBe(bytes);
    }
  });

  test.each(streams.refused)("a manifest with $name is refused by $code", async ({ manifest, code }) => {
    expect(await codeOf(() => checkManifest(manifestOf(manifest), 2 ** 40, crypto))).toBe(code);
  });

  test("a sealed blob opens", async () => {
    const [small] = blobs.blobs;
    if (small?.frames === undefined) throw new TypeError("the first blob has its frames");
    const { root: top, blobId, leaves, ...sizes } = small.description;
    const description = { root: fromHex(top), blobId: fromHex(blobId), leaves: fromHex(leaves), ...sizes };
    const ciphertext = readFrame(fromHex(small.frames.join(""))).payload;
    const { sink, bytes } = bytesSink(sizes.totalBytes);

    await openBlob(
      restoreBlob(description, ciphertext),
      { description, key: fromHex(small.key), project, sink },
      { crypto },
    );

    expect(bytes).toEqual(Uint8Array.from({ length: sizes.totalBytes }, (_, index) => (index * 7) & 0xff));
  });
});

test.each(errors.frames)("ERROR $code is read", ({ frame, code, inReplyTo, retryAfterMs, detail }) => {
  const notice = readError(readFrame(fromHex(frame)));

  expect(wireCodeOf(notice.code)).toBe(code);
  expect(notice.inReplyTo === undefined ? null : toHex(notice.inReplyTo)).toBe(inReplyTo);
  expect([notice.retryAfterMs ?? null, notice.detail]).toEqual([retryAfterMs, detail]);
});
