import fc from "fast-check";
import { expect, test } from "vitest";
import { type Bytes, concatBytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode, writePositional } from "../../src/decomposer/index.ts";
import { writeMessage } from "../../src/envelope/index.ts";
import { on } from "../../src/session/index.ts";
import { sessionPair, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, writeFrame } from "../../src/wire/index.ts";
import { hostileClient } from "./hostile-client.ts";
import { note, order } from "./messages.ts";

const project = await testProject();
const SEED = 20_261;

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Uint8Array.from(array));
const position = fc.oneof(
  fc.constant(null),
  fc.nat(),
  fc.boolean(),
  fc.string({ maxLength: 20, unit: "grapheme-ascii" }),
  bytes(40),
  fc.constantFrom(new Uint8Array(16), new Uint8Array(32), "test", "hub", "site-1", 1, 0, 900, 901),
);

/** Inner frames that look more and more like right ones. */
const hostileFrame: fc.Arbitrary<(tokenRef: Bytes) => Bytes> = fc.oneof(
  bytes(200).map((random) => () => random),
  fc
    .record({ kind: fc.constantFrom(...Object.values(FRAME_KIND)), header: bytes(60), payload: bytes(60) })
    .map(
      ({ kind, header, payload }) =>
        () =>
          writeFrame(kind, { header, payload }),
    ),
  fc
    .record({
      kind: fc.constantFrom(...Object.values(FRAME_KIND)),
      positions: fc.array(position, { maxLength: 15 }),
      tag: bytes(96),
      payload: bytes(60),
    })
    .map(({ kind, positions, tag, payload }) => () => {
      return writeFrame(kind, { header: writePositional(positions), tag, payload });
    }),
  fc
    .record({ type: fc.constantFrom(1, 2, 3, 4, 900, 901, 65_535), payload: bytes(100) })
    .map(({ type, payload }) => (tokenRef: Bytes) => {
      const header = {
        type,
        messageId: new Uint8Array(16),
        inReplyTo: undefined,
        scope: undefined,
        tokenRef,
      };
      return writeMessage(header, payload);
    }),
);

test("whatever an authenticated peer sends ends in an answer or an orderly end, never in a crash or a handler", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileFrame, { minLength: 1, maxLength: 6 }), async (frames) => {
      const handled: unknown[] = [];
      const client = await hostileClient(project, {
        routes: [on(note, (body) => void handled.push(body)), on(order, (body) => void handled.push(body))],
        onObject: (object) => void handled.push(object),
      });

      for (const frame of frames) await client.sendInner(frame(client.tokenRef));
      await client.clock.settle();

      if (client.server.signal.aborted) {
        const { code, local } = await client.server.ended;
        // The peer may say goodbye in one of its frames; otherwise the server ended it, and not by a fault of its own.
        expect(local ? code : "goodbye").not.toBe("ERR_INTERNAL");
        expect(client.clock.pendingTimers).toBe(0);
      }
      expect(handled).toEqual([]);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

test("whatever comes from outside ends the session without a handler being called", async () => {
  const outside = fc.oneof(
    bytes(100),
    bytes(100).map((tail) => concatBytes(Uint8Array.of(0x50, 0x48, 1, 5, 0, 0, 0, 16), tail)),
    fc
      .record({ kind: fc.constantFrom(...Object.values(FRAME_KIND)), payload: bytes(60) })
      .map(({ kind, payload }) => writeFrame(kind, { tag: new Uint8Array(16), payload })),
  );
  await fc.assert(
    fc.asyncProperty(outside, async (frame) => {
      const { server, clock, connections } = await sessionPair({ project });
      const handled: unknown[] = [];
      server.receive({ routes: [on(note, (body) => void handled.push(body))] });

      connections.injectToServer(frame);
      await clock.settle();

      expect(await server.ended).toMatchObject({
        local: true,
        code: expect.not.stringMatching("ERR_INTERNAL"),
      });
      expect(handled).toEqual([]);
    }),
    { seed: SEED, numRuns: 40 },
  );
});

test("a session that is attacked does not touch another", async () => {
  const honest = await sessionPair({ project });
  const got: string[] = [];
  honest.server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });
  honest.client.receive({ routes: [] });
  const hostile = await hostileClient(project, { routes: [] });

  await hostile.sendInner(writeFrame(FRAME_KIND.rekey, {}));
  hostile.sendOuter(encode("rubbish", builtInRegistry()));
  await hostile.clock.settle();
  await honest.client.send(note, { text: "unharmed" });
  await honest.clock.settle();

  expect(hostile.server.signal.aborted).toBe(true);
  expect(got).toEqual(["unharmed"]);
});
