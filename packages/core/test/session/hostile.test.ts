import { expect, test } from "vitest";
import { type Bytes, concatBytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode, writePositional } from "../../src/decomposer/index.ts";
import { sealObject, writeError, writeMessage } from "../../src/envelope/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on, signerChain } from "../../src/session/index.ts";
import { bytesSink, bytesSource, makeManifest, writeChunk, writeCredit } from "../../src/stream/index.ts";
import { sessionPair, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, type FrameKind, readFrame, writeFrame } from "../../src/wire/index.ts";
import { type HostileClient, hostileClient } from "./hostile-client.ts";
import { note, order, upload } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const lead = project.users.get("lead@example.org")!;
const registry = builtInRegistry();

interface Handled {
  readonly texts: string[];
  readonly objects: string[];
}

async function anAttack(): Promise<HostileClient & { readonly handled: Handled }> {
  const handled: Handled = { texts: [], objects: [] };
  const client = await hostileClient(project, {
    routes: [
      on(note, ({ text }) => void handled.texts.push(text)),
      on(order, ({ text }) => void handled.texts.push(text)),
      on(upload, async ({ manifest }, _, session) => {
        await session.acceptStream(manifest, bytesSink(manifest.totalBytes).sink);
      }),
    ],
    onObject: ({ signer }) => void handled.objects.push(signer.name),
  });
  return { ...client, handled };
}

async function endOf(client: HostileClient): Promise<string> {
  await client.clock.settle();
  if (!client.server.signal.aborted) return "goes on";
  return (await client.server.ended).code;
}

const messageFrame = (client: HostileClient, body: Bytes, type = 900): Bytes =>
  writeMessage(
    {
      type,
      messageId: new Uint8Array(16),
      inReplyTo: undefined,
      scope: undefined,
      tokenRef: client.tokenRef,
    },
    body,
  );

test("an honest frame of the hostile client is handled, so that the refusals below mean something", async () => {
  const client = await anAttack();

  await client.sendInner(await client.signed());
  await client.sendInner(messageFrame(client, encode({ text: "y" }, registry)));

  expect(await client.replies()).toEqual([]);
  expect(client.handled.texts).toEqual(["x", "y"]);
});

// On the way: whoever sits between cannot alter, repeat, reorder, drop or add.

const recordOf = 28;

test.for([
  ["the magic", 0, "ERR_FRAME_MALFORMED"],
  ["the version", 2, "ERR_VERSION_UNSUPPORTED"],
  ["the kind", 3, "ERR_FRAME_MALFORMED"],
  ["the header length", 5, "ERR_FRAME_MALFORMED"],
  ["the tag length", 7, "ERR_FRAME_MALFORMED"],
  ["the payload length", 11, "ERR_FRAME_MALFORMED"],
  ["the tag", 12, "ERR_SEQUENCE_GAP"],
  ["the end of the tag", 27, "ERR_SEQUENCE_GAP"],
  ["the encrypted prefix", recordOf, "ERR_SEQUENCE_GAP"],
  ["the encrypted header", recordOf + 14, "ERR_SEQUENCE_GAP"],
  ["the encrypted payload", -1, "ERR_SEQUENCE_GAP"],
] as const)("a session frame with an altered byte in %s ends the session", async ([, position, code]) => {
  let isOn = false;
  const { client, server, clock } = await sessionPair({
    project,
    transport: {
      toServer: (frame) => {
        if (!isOn) return frame;
        const altered = Uint8Array.from(frame);
        altered[position < 0 ? altered.length - 1 : position]! ^= 4;
        return altered;
      },
    },
  });
  const got: string[] = [];
  server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });
  client.receive({ routes: [] });
  isOn = true;

  await client.send(note, { text: "x" });
  await clock.settle();

  expect(await server.ended).toMatchObject({ code, local: true });
  expect(await client.ended).toMatchObject({ code, local: false });
  expect(got).toEqual([]);
});

test.for([
  ["replayed", (frame: Bytes) => [frame, frame], ["1"]],
  ["dropped", (_: Bytes, index: number) => (index === 0 ? undefined : _), []],
  ["truncated", (frame: Bytes) => frame.subarray(0, frame.length - 1), []],
  ["extended", (frame: Bytes) => concatBytes(frame, Uint8Array.of(0)), []],
] as const)("a session frame that is %s ends the session", async ([, interfere, expected]) => {
  let from = Number.POSITIVE_INFINITY;
  const { client, server, clock } = await sessionPair({
    project,
    transport: { toServer: (frame, index) => (index < from ? frame : interfere(frame, index - from)) },
  });
  const got: string[] = [];
  server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });
  client.receive({ routes: [] });
  from = 2;

  await client.send(note, { text: "1" });
  await client.send(note, { text: "2" }).catch(() => undefined);
  await clock.settle();

  expect(server.signal.aborted).toBe(true);
  expect(got).toEqual(expected);
});

test("session frames in another order end the session", async () => {
  const held: Bytes[] = [];
  const { client, server, clock } = await sessionPair({
    project,
    transport: {
      toServer: (frame, index) => {
        if (index < 2) return frame;
        held.push(frame);
        return held.length === 2 ? held.reverse() : undefined;
      },
    },
  });
  server.receive({ routes: [on(note, () => undefined)] });

  await client.send(note, { text: "1" });
  await client.send(note, { text: "2" });
  await clock.settle();

  expect(await server.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP" });
});

test("a frame of one session is of no use in another", async () => {
  const first = await sessionPair({ project, transport: { record: true } });
  await first.client.send(note, { text: "transfer" });
  const recorded = first.connections.sentByClient.at(-1)!;
  const second = await sessionPair({ project });
  second.server.receive({ routes: [on(note, () => undefined)] });

  second.connections.injectToServer(recorded);
  await second.clock.settle();

  expect(await second.server.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP" });
});

test("a frame that is sent back to its sender ends the session", async () => {
  const pair = await sessionPair({ project, transport: { record: true } });
  pair.client.receive({ routes: [on(note, () => undefined)] });
  await pair.client.send(note, { text: "x" });

  pair.connections.injectToClient(pair.connections.sentByClient.at(-1)!);
  await pair.clock.settle();

  expect(await pair.client.ended).toMatchObject({ code: "ERR_SEQUENCE_GAP" });
});

test.for(Object.entries(FRAME_KIND).filter(([name]) => name !== "session" && name !== "blob"))(
  "a %s frame outside SESSION ends the session",
  async ([, kind]) => {
    const client = await anAttack();

    client.sendOuter(writeFrame(kind, {}));

    expect(await endOf(client)).toBe("ERR_FRAME_MALFORMED");
  },
);

test("a clear ERROR cannot end a session in the name of the peer", async () => {
  const client = await anAttack();

  client.sendOuter(writeError({ code: "ERR_SUPERSEDED", detail: "go away" }));

  await client.clock.settle();
  expect(await client.server.ended).toMatchObject({ code: "ERR_FRAME_MALFORMED", local: true });
});

test("a frame over 1 MiB + 1 KiB ends the session before it is looked at", async () => {
  const client = await anAttack();

  client.sendOuter(new Uint8Array(1024 * 1025 + 1));

  expect(await endOf(client)).toBe("ERR_TOO_LARGE");
});

// Inside: an authenticated peer that breaks the rules.

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

function flipped(bytes: Bytes, position: number): Bytes {
  return withByte(bytes, position, (bytes[position] ?? 0) ^ 0xff);
}

function withByte(bytes: Bytes, position: number, value: number): Bytes {
  const altered = Uint8Array.from(bytes);
  altered[position] = value;
  return altered;
}

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

// Objects.

const anObject = (change: Partial<Parameters<typeof sealObject>[0]> = {}, identity = lead): Promise<Bytes> =>
  sealObject(
    {
      objectType: OBJECT_TYPES.job,
      audience: "all",
      issuedAt: Date.UTC(2026, 6, 1),
      lifetimeMs: 60_000,
      payload: encode(1, registry),
      ...change,
    },
    { identity, crypto },
  );

async function sendChain(client: HostileClient, chain: readonly Bytes[]): Promise<void> {
  await client.sendInner(messageFrame(client, encode({ chain }, registry), signerChain.type));
}

test("an object of a user that a site relays is accepted when its chain came first", async () => {
  const client = await anAttack();

  await sendChain(client, lead.participant.chain);
  await client.sendInner(await anObject());
  await client.clock.settle();

  expect(client.handled.objects).toEqual(["lead@example.org"]);
});

test("an object whose signer's chain was not sent is refused", async () => {
  const client = await anAttack();

  await client.sendInner(await anObject());

  expect(await client.replies()).toMatchObject([{ code: "ERR_ENVELOPE_UNKNOWN_SENDER" }]);
});

test("a chain of another root is refused, and its objects with it", async () => {
  const client = await anAttack();
  const foreign = (await testProject()).users.get("lead@example.org")!;

  await sendChain(client, foreign.participant.chain);
  await client.sendInner(await anObject({}, foreign));

  const codes = (await client.replies()).map(({ code }) => code);
  expect(codes).toEqual(["ERR_AUTH_FAILED", "ERR_ENVELOPE_UNKNOWN_SENDER"]);
  expect(client.handled.objects).toEqual([]);
});

test.for([
  ["has expired", { lifetimeMs: 60_000, issuedAt: Date.UTC(2026, 6, 1) - 60_001 }, "ERR_ENVELOPE_STALE"],
  ["is from the future", { issuedAt: Date.UTC(2026, 6, 1) + 60_001 }, "ERR_ENVELOPE_STALE"],
  ["is for somebody else", { audience: "site-2" }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["is of a type without a rule", { objectType: 77 }, "ERR_TYPE_UNKNOWN"],
  ["is of a type that only the server signs", { objectType: OBJECT_TYPES.publication }, "ERR_TYPE_UNKNOWN"],
  ["has a counter where none belongs", { counter: 5 }, "ERR_ENVELOPE_STALE"],
] as const)("an object that %s is refused", async ([, change, code]) => {
  const client = await anAttack();
  await sendChain(client, lead.participant.chain);

  await client.sendInner(await anObject(change));

  expect(await client.replies()).toMatchObject([{ code }]);
  expect(client.handled.objects).toEqual([]);
});

test("an object of another project is refused", async () => {
  const client = await anAttack();
  const foreign = (await testProject({ project: "other" })).users.get("lead@example.org")!;

  await client.sendInner(await anObject({}, foreign));

  expect(await client.replies()).toMatchObject([{ code: "ERR_ENVELOPE_WRONG_RECIPIENT" }]);
});

test("an object that comes again has no second effect; another under its id ends the session", async () => {
  const client = await anAttack();
  await sendChain(client, lead.participant.chain);
  const objectId = crypto.randomBytes(16);
  const object = await anObject({ objectId });

  for (let copy = 0; copy < 3; copy++) await client.sendInner(object);
  expect(await client.replies()).toEqual([]);
  expect(client.handled.objects).toEqual(["lead@example.org"]);
  await client.clock.settle();
  await client.sendInner(await anObject({ objectId, payload: encode(2, registry) }));

  expect(await endOf(client)).toBe("ERR_ENVELOPE_REPLAYED");
});

test.for([
  ["header", (frame: Bytes) => withByte(frame, 12 + 8, 0x7a), "close"],
  ["signature", (frame: Bytes) => flipped(frame, 12 + readFrame(frame).header.length + 3), "close"],
  ["payload", (frame: Bytes) => withByte(frame, frame.length - 1, 2), "reject"],
] as const)("an object with an altered %s is refused", async ([, alter]) => {
  const client = await anAttack();
  await sendChain(client, lead.participant.chain);

  await client.sendInner(alter(await anObject()));
  await client.clock.settle();

  expect(client.handled.objects).toEqual([]);
  expect(client.server.signal.aborted || (await client.replies()).length > 0).toBe(true);
});
