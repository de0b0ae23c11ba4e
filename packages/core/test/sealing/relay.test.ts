import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { type Bytes, concatBytes, equalBytes, toHex, utf8 } from "../../src/bytes/index.ts";
import { memoryReplayStore } from "../../src/envelope/index.ts";
import { defineMessage, type MessageDefinition } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  KEY_PACKAGE_TYPE,
  keyPackageRule,
  openFrom,
  type SealedContent,
  type SealedManifest,
  sealedManifestSchema,
  sealFor,
} from "../../src/sealing/index.ts";
import { on, type Session } from "../../src/session/index.ts";
import {
  bytesSink,
  bytesSource,
  chunkCount,
  leafOf,
  rootOf,
  type StreamManifest,
} from "../../src/stream/index.ts";
import {
  seededRandom,
  sessionPair,
  TEST_EPOCH_MS,
  trackCrypto,
  virtualClock,
} from "../../src/testing/index.ts";
import { aParty, aProject, JOB, type Party, parties } from "./parties.ts";

/** How sealed content is announced: from is the name as the server tells it. */
interface Relayed {
  readonly from: string;
  readonly round: number;
  readonly manifest: SealedManifest;
}

const sealedContent: MessageDefinition<Relayed> = defineMessage(
  { type: 910, name: "sealed-content", signed: true, from: ["site", "server"] },
  v.strictObject({ from: v.string(), round: v.number(), manifest: sealedManifestSchema }),
);

const project = await aProject();
const CHUNK = 65_536;
const SECRET = utf8("nobody but bob may read this");
const plaintext = concatBytes(SECRET, seededRandom(3).bytes(2 * CHUNK));

/** A server between two sites; all that passes through its hands is kept. */
async function aRelay(change: (relayed: Relayed, stored: Bytes) => Promise<[Relayed, Bytes]>) {
  const tracked = trackCrypto(webCrypto());
  const clock = virtualClock({ startMs: TEST_EPOCH_MS, settle: tracked.settled });
  const rules = new Map([[KEY_PACKAGE_TYPE, keyPackageRule()]]);
  const party = async (name: string) => {
    const identity = project.sites.get(name);
    if (identity === undefined) throw new Error(`no site ${name}`);
    const options = { project, identity, crypto: tracked.crypto, clock };
    const pair = await sessionPair({
      ...options,
      client: { objectRules: rules },
      server: { objectRules: rules },
    });
    return { ...(await aParty(identity, project, options)), session: pair.client, atServer: pair.server };
  };
  const [alice, bob] = [await party("alice"), await party("bob")];
  const seen: string[] = [];
  alice.atServer.receive({
    routes: [
      on(sealedContent, async (relayed, _, session) => {
        const { sink, bytes } = bytesSink(relayed.manifest.stream.totalBytes);
        await session.acceptStream(relayed.manifest.stream, sink);
        seen.push(
          toHex(bytes),
          toHex(relayed.manifest.statement),
          relayed.manifest.keys.map(({ to }) => to).join(),
        );
        const [changed, chunks] = await change(relayed, bytes);
        await bob.atServer.send(sealedContent, changed);
        void bob.atServer.sendStream(changed.manifest.stream, bytesSource(chunks));
      }),
    ],
  });
  bob.atServer.receive({
    routes: [],
    onObject: ({ bytes, signer }) => alice.atServer.sendObject(bytes, signer.chain),
  });
  alice.session.receive({ routes: [], onObject: (object) => alice.packages.add(object) });
  const outcome = reading(bob, bob.session);
  await bob.session.sendObject(await bob.ring.publish(), bob.identity.participant.chain);
  await clock.settle();
  return { alice, bob, clock, seen, outcome };
}

/** Bob takes what comes as a site does that is in round 3, or in the round that it is told. */
function reading(bob: Party, session: Session): { bytes?: Bytes; code?: string } {
  const outcome: { bytes?: Bytes; code?: string } = {};
  session.receive({
    routes: [
      on(sealedContent, async ({ from, round, manifest }) => {
        try {
          const opening = await openFrom(
            from,
            manifest,
            { job: JOB, round, maximumBytes: 2 ** 24 },
            bob.opening,
          );
          const { sink, bytes } = bytesSink(opening.statement.totalBytes);
          await session.acceptStream(manifest.stream, opening.into(sink));
          await opening.finish();
          outcome.bytes = bytes;
        } catch (error) {
          outcome.code = (error as { code?: string }).code ?? String(error);
        }
      }),
    ],
  });
  return outcome;
}

test("content goes from one site to another through a server that sees ciphertext, lengths and names", async () => {
  const { alice, clock, seen, outcome } = await aRelay(async (...same) => same);
  const content = { job: JOB, round: 3, source: bytesSource(plaintext), totalBytes: plaintext.length };

  const { manifest, source } = await sealFor(["bob"], content, alice.sealing);
  await alice.session.send(sealedContent, { from: "alice", round: 3, manifest });
  await alice.session.sendStream(manifest.stream, source);
  await clock.settle();

  expect(outcome).toEqual({ bytes: plaintext });
  expect(seen).toHaveLength(3);
  expect(seen[2]).toBe("bob");
  expect(seen.some((text) => text.includes(toHex(SECRET)))).toBe(false);
});

/** A manifest whose leaves and root fit other ciphertext: what a server can always make. */
async function refitted(stream: StreamManifest, chunks: readonly Bytes[]): Promise<StreamManifest> {
  const crypto = webCrypto();
  const leaves = concatBytes(...(await Promise.all(chunks.map((chunk) => crypto.sha256(chunk)))));
  const totalBytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const plan = { chunkBytes: stream.chunkBytes, totalBytes };
  return { ...stream, ...plan, leaves, root: await rootOf(plan, leaves, crypto) };
}

/** What a dishonest server has in its hands. */
interface Held {
  readonly manifest: SealedManifest;
  readonly chunks: readonly Bytes[];
}

async function held({ manifest, source }: SealedContent): Promise<Held> {
  const { chunkBytes, totalBytes } = manifest.stream;
  const chunks: Bytes[] = [];
  for (let index = 0; index < chunkCount(manifest.stream); index++) {
    const offset = index * chunkBytes;
    chunks.push(await source.read(offset, Math.min(chunkBytes, totalBytes - offset)));
  }
  return { manifest, chunks };
}

/** One content for bob and carol, another for bob alone, in the hands of the server; and how bob and carol read. */
async function atTheServer() {
  const all = await parties(project);
  const { alice, bob, carol, clock } = all;
  const seal = async (to: readonly string[], round = 3): Promise<Held> =>
    await held(
      await sealFor(
        to,
        { job: JOB, round, source: bytesSource(plaintext), totalBytes: plaintext.length, chunkBytes: CHUNK },
        alice.sealing,
      ),
    );
  const read = async (
    reader: Party,
    { manifest, chunks }: Held,
    told: { from?: string; round?: number } = {},
  ): Promise<Bytes> => {
    const { from = "alice", round = 3 } = told;
    const modules = { ...reader.opening, replay: memoryReplayStore({ clock }) };
    const opening = await openFrom(from, manifest, { job: JOB, round, maximumBytes: 2 ** 24 }, modules);
    const { sink, bytes } = bytesSink(opening.statement.totalBytes);
    const into = opening.into(sink);
    for (const [index, chunk] of chunks.entries())
      await into.write(index * manifest.stream.chunkBytes, chunk);
    await opening.finish();
    return bytes;
  };
  const [first, second] = [await seal(["bob", "carol"]), await seal(["bob", "carol"])];
  return { ...all, bob, carol, first, second, seal, read };
}

const unreadable = { code: "ERR_SEALED_UNREADABLE" };
const mismatch = { code: "ERR_SEALED_MISMATCH" };

describe("a dishonest server", () => {
  test("cannot hand the key of one recipient to another", async () => {
    const { carol, first, read } = await atTheServer();
    const [forBob, forCarol] = first.manifest.keys;
    if (forBob === undefined || forCarol === undefined) throw new Error("two keys expected");
    const { encapsulated, wrapped } = forBob;
    const keys = [forBob, { ...forCarol, encapsulated, wrapped }];

    await expect(read(carol, { ...first, manifest: { ...first.manifest, keys } })).rejects.toMatchObject(
      unreadable,
    );
  });

  test("cannot leave out a recipient, add one or change their order without a reader seeing it", async () => {
    const { bob, first, second, read } = await atTheServer();
    const [forBob, forCarol] = first.manifest.keys;
    const another = second.manifest.keys[1];
    if (forBob === undefined || forCarol === undefined || another === undefined)
      throw new Error("keys expected");
    const lists = [
      [forBob],
      [forCarol, forBob],
      [forBob, forCarol, another],
      [forBob, { ...forCarol, to: "dave" }],
    ];

    for (const keys of lists) {
      await expect(read(bob, { ...first, manifest: { ...first.manifest, keys } })).rejects.toMatchObject(
        mismatch,
      );
    }
  });

  test("cannot pass it off as another sender's or another round's", async () => {
    const { bob, first, seal, read } = await atTheServer();
    const later = await seal(["bob"], 4);

    await expect(read(bob, first, { from: "carol" })).rejects.toMatchObject(unreadable);
    await expect(read(bob, first, { round: 4 })).rejects.toMatchObject(unreadable);
    await expect(read(bob, later, { round: 3 })).rejects.toMatchObject(unreadable);
  });

  test("cannot exchange chunks, within a content or between two of the same sender", async () => {
    const { bob, first, second, read } = await atTheServer();
    const [one, two, last] = first.chunks as [Bytes, Bytes, Bytes];
    const foreign = second.chunks[1] ?? new Uint8Array(0);

    for (const chunks of [
      [two, one, last],
      [one, foreign, last],
    ]) {
      const stream = await refitted(first.manifest.stream, chunks);
      await expect(read(bob, { manifest: { ...first.manifest, stream }, chunks })).rejects.toMatchObject(
        unreadable,
      );
    }
  });

  test("cannot cut it short or make it longer", async () => {
    const { bob, first, read } = await atTheServer();
    const cut = first.chunks.slice(0, -1);
    const longer = [
      ...first.chunks.slice(0, -1),
      concatBytes(first.chunks.at(-1) ?? new Uint8Array(0), SECRET),
    ];

    for (const chunks of [cut, longer]) {
      const stream = await refitted(first.manifest.stream, chunks);
      await expect(read(bob, { manifest: { ...first.manifest, stream }, chunks })).rejects.toMatchObject(
        mismatch,
      );
    }
  });

  test("cannot alter a byte of a chunk, of a leaf, of the statement or of a key", async () => {
    const { bob, first, read } = await atTheServer();
    const flip = (bytes: Bytes): Bytes => Uint8Array.from(bytes, (byte, at) => (at === 9 ? byte ^ 1 : byte));
    const { manifest, chunks } = first;
    const altered = [flip(chunks[0] ?? new Uint8Array(0)), ...chunks.slice(1)];
    const stream = await refitted(manifest.stream, altered);
    const keys = manifest.keys.map((key) => ({ ...key, wrapped: flip(key.wrapped) }));
    const points = manifest.keys.map((key) => ({ ...key, encapsulated: flip(key.encapsulated) }));

    await expect(read(bob, { manifest: { ...manifest, stream }, chunks: altered })).rejects.toMatchObject(
      unreadable,
    );
    await expect(
      read(bob, {
        manifest: { ...manifest, stream: { ...manifest.stream, leaves: flip(manifest.stream.leaves) } },
        chunks,
      }),
    ).rejects.toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
    for (const change of [{ statement: flip(manifest.statement) }, { keys }, { keys: points }]) {
      await expect(read(bob, { manifest: { ...manifest, ...change }, chunks })).rejects.toMatchObject(
        unreadable,
      );
    }
    expect(equalBytes(leafOf(stream.leaves, 1), leafOf(manifest.stream.leaves, 1))).toBe(true);
  });

  test("cannot put the statement or the stream of one content under the key of another", async () => {
    const { bob, first, second, read } = await atTheServer();
    const { statement, stream, keys } = second.manifest;

    await expect(read(bob, { ...first, manifest: { ...first.manifest, statement } })).rejects.toMatchObject(
      unreadable,
    );
    await expect(read(bob, { ...second, manifest: { ...first.manifest, stream } })).rejects.toMatchObject(
      unreadable,
    );
    await expect(read(bob, { ...first, manifest: { ...first.manifest, keys } })).rejects.toMatchObject(
      unreadable,
    );
  });

  test("cannot seal in a site's name, though it has every public key", async () => {
    const { alice, bob, carol, clock, crypto, read } = await atTheServer();
    const content = { job: JOB, round: 3, source: bytesSource(plaintext), totalBytes: plaintext.length };
    // Its own certificate and key, and the name of a site in everything that is bound.
    const { participant, signingKey } = project.server;
    const identity = { participant: { ...participant, name: "alice" }, signingKey };

    const forged = await held(
      await sealFor(["bob"], content, { identity, packages: alice.packages, crypto, clock }),
    );

    await expect(read(bob, forged)).rejects.toMatchObject(mismatch);
    expect(carol.identity.participant.name).toBe("carol");
  });

  test("cannot sign for a site: its certificate beside another key's signature is refused", async () => {
    const { alice, bob, clock, crypto, read } = await atTheServer();
    const content = { job: JOB, round: 3, source: bytesSource(plaintext), totalBytes: plaintext.length };
    const identity = { participant: alice.identity.participant, signingKey: project.server.signingKey };

    const forged = await held(
      await sealFor(["bob"], content, { identity, packages: alice.packages, crypto, clock }),
    );

    await expect(read(bob, forged)).rejects.toMatchObject({ code: "ERR_ENVELOPE_SIGNATURE_INVALID" });
  });
});
