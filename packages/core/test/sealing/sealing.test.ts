import { describe, expect, test } from "vitest";
import { type Bytes, equalBytes, toHex, utf8 } from "../../src/bytes/index.ts";
import { memoryReplayStore } from "../../src/envelope/index.ts";
import {
  KeyPackageBook,
  openFrom,
  type SealedContent,
  type SealedManifest,
  sealFor,
} from "../../src/sealing/index.ts";
import { bytesSink, bytesSource, chunkCount, chunkLength, parametersSource } from "../../src/stream/index.ts";
import { ParameterSet, Tensor, unpackParameters } from "../../src/tensor/index.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { aParty, aProject, JOB, type Party, parties } from "./parties.ts";

const project = await aProject();
const CHUNK = 65_536;
const plaintext = seededRandom(11).bytes(3 * CHUNK + 5);
const expected = { job: JOB, round: 3, maximumBytes: 2 ** 24 };

const seal = (
  from: Party,
  to: readonly string[],
  bytes: Bytes = plaintext,
  round = 3,
): Promise<SealedContent> =>
  sealFor(
    to,
    { job: JOB, round, source: bytesSource(bytes), totalBytes: bytes.length, chunkBytes: CHUNK },
    from.sealing,
  );

/** The ciphertext chunks in order. */
async function chunksOf({ manifest, source }: SealedContent): Promise<Bytes[]> {
  const { stream } = manifest;
  const chunks: Bytes[] = [];
  for (let index = 0; index < chunkCount(stream); index++) {
    chunks.push(await source.read(index * stream.chunkBytes, chunkLength(stream, index)));
  }
  return chunks;
}

/** Opens everything, the chunks in the given order. */
async function read(party: Party, manifest: SealedManifest, chunks: readonly Bytes[], order = chunks.keys()) {
  const opening = await openFrom("alice", manifest, expected, party.opening);
  const { sink, bytes } = bytesSink(opening.statement.totalBytes);
  const stream = opening.into(sink);
  for (const index of order) {
    const chunk = chunks[index];
    if (chunk !== undefined) await stream.write(index * manifest.stream.chunkBytes, chunk);
  }
  return { statement: await opening.finish(), bytes };
}

describe("sealed content", () => {
  test("is read by each recipient, chunks in any order, with what its sender signed", async () => {
    const { alice, bob, carol } = await parties(project);
    const sealed = await seal(alice, ["bob", "carol"]);
    const chunks = await chunksOf(sealed);

    const atBob = await read(bob, sealed.manifest, chunks);
    const atCarol = await read(carol, sealed.manifest, chunks, [3, 1, 0, 2].values());

    for (const { statement, bytes } of [atBob, atCarol]) {
      expect(equalBytes(bytes, plaintext)).toBe(true);
      expect(statement).toMatchObject({ recipients: ["bob", "carol"], totalBytes: plaintext.length });
      expect(statement.sender).toMatchObject({ name: "alice", role: "site" });
    }
  });

  test("brings tensor table, norm and count of an update inside", async () => {
    const { alice, bob } = await parties(project);
    const weights = new Tensor("f32", [2, 3], new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer));
    const parameters = new ParameterSet([["weights", weights]]);
    const { source, layout } = parametersSource(parameters);
    const content = { job: JOB, round: 3, source, totalBytes: layout.byteLength };

    const sealed = await sealFor(
      ["bob"],
      { ...content, tensors: layout.tensors, norm: 9.5, exampleCount: 321 },
      alice.sealing,
    );
    const { statement, bytes } = await read(bob, sealed.manifest, await chunksOf(sealed));

    expect(statement).toMatchObject({ norm: 9.5, exampleCount: 321 });
    const opened = unpackParameters({ tensors: statement.tensors, byteLength: bytes.length }, bytes);
    expect(opened.get("weights")?.data).toEqual(weights.data);
  });

  test("shows lengths, recipients and digests of ciphertext only", async () => {
    const { alice } = await parties(project);
    const bytes = new Uint8Array(CHUNK).fill(0x41);
    const source = bytesSource(bytes);
    const tensors = [{ name: "a-telling-name", dtype: "u8", shape: [bytes.length], offset: 0 } as const];

    const sealed = await sealFor(
      ["bob"],
      { job: JOB, round: 3, source, totalBytes: CHUNK, tensors },
      alice.sealing,
    );

    const seen = [sealed.manifest.statement, sealed.manifest.stream.leaves, ...(await chunksOf(sealed))].map(
      toHex,
    );
    for (const text of ["a-telling-name", "AAAAAAAA", "alice"]) {
      expect(seen.some((hex) => hex.includes(toHex(utf8(text))))).toBe(false);
    }
  });

  test("never has the same key, stream or ciphertext twice", async () => {
    const { alice } = await parties(project);
    const [one, other] = [await seal(alice, ["bob"]), await seal(alice, ["bob"])];

    const [first] = await chunksOf(one);
    const [second] = await chunksOf(other);

    expect(toHex(one.manifest.stream.streamId)).not.toBe(toHex(other.manifest.stream.streamId));
    expect(first === undefined || second === undefined || equalBytes(first, second)).toBe(false);
  });

  test("does not leave when its source changed while it was sealed: one key never covers two plaintexts", async () => {
    const { alice } = await parties(project);
    const bytes = plaintext.slice();
    const sealed = await seal(alice, ["bob"], bytes);

    bytes[CHUNK] = (bytes[CHUNK] ?? 0) ^ 1;

    await expect(chunksOf(sealed)).rejects.toThrow(RangeError);
  });

  test("is sealed for 1 to 256 recipients, each once, and within the limits of a stream", async () => {
    const { alice } = await parties(project);
    const many = Array.from({ length: 257 }, (_, index) => `site-${index}`);

    for (const names of [[], ["bob", "bob"], many]) {
      await expect(seal(alice, names)).rejects.toThrow(RangeError);
    }
    await expect(seal(alice, ["bob"], new Uint8Array(0))).rejects.toThrow(RangeError);
    const small = { job: JOB, round: 3, source: bytesSource(plaintext), totalBytes: 9, chunkBytes: 1024 };
    await expect(sealFor(["bob"], small, alice.sealing)).rejects.toThrow(RangeError);
    await expect(sealFor(["bob"], { ...small, job: "7" }, alice.sealing)).rejects.toThrow(RangeError);
  });

  test("is not sealed for whom there is no key package, or none that is valid", async () => {
    const { alice, clock } = await parties(project);

    await expect(seal(alice, ["bob", "dave"])).rejects.toMatchObject({ code: "ERR_KEY_PACKAGE_MISSING" });
    await clock.advance(7 * 86_400_000);
    await expect(seal(alice, ["bob"])).rejects.toMatchObject({ code: "ERR_KEY_PACKAGE_MISSING" });
  });
});

test("content goes to other roles, and comes from them, only where reader and sender say so", async () => {
  const { alice, clock } = await parties(project);
  const identity = project.users.get("lead@example.org");
  if (identity === undefined) throw new Error("no lead");
  const lead = await aParty(identity, project, { clock });
  const object = await lead.ring.publish();
  const { chains, identity: self } = alice;
  const modules = { crypto: alice.sealing.crypto, clock, chains };
  const options = { project: project.project, self: self.participant.name, roles: ["site", "lead"] as const };
  const packages = new KeyPackageBook(options, modules);

  await expect(alice.packages.accept(object)).rejects.toMatchObject({ code: "ERR_TYPE_UNKNOWN" });
  await packages.accept(object);
  const sealed = await seal({ ...alice, sealing: { ...alice.sealing, packages } }, ["lead@example.org"]);
  const opened = await read(lead, sealed.manifest, await chunksOf(sealed));
  const onlyLeads = { ...expected, roles: ["lead"] as const };

  expect(equalBytes(opened.bytes, plaintext)).toBe(true);
  await expect(
    openFrom("alice", sealed.manifest, onlyLeads, { ...lead.opening, replay: memoryReplayStore({ clock }) }),
  ).rejects.toMatchObject({ code: "ERR_SEALED_MISMATCH" });
});

describe("a reader refuses", () => {
  test("what is sealed for others", async () => {
    const { alice, carol } = await parties(project);
    const { manifest } = await seal(alice, ["bob"]);

    await expect(openFrom("alice", manifest, expected, carol.opening)).rejects.toMatchObject({
      code: "ERR_ENVELOPE_WRONG_RECIPIENT",
    });
  });

  test("what is sealed with a key package that it no longer has", async () => {
    const { alice, bob, clock } = await parties(project);
    const { manifest } = await seal(alice, ["bob"]);

    await clock.advance(7 * 86_400_000);

    await expect(openFrom("alice", manifest, expected, bob.opening)).rejects.toMatchObject({
      code: "ERR_KEY_PACKAGE_MISSING",
    });
  });

  test("another job, round, sender or project than it was sealed in", async () => {
    const { alice, bob } = await parties(project);
    const { manifest } = await seal(alice, ["bob"]);
    const unreadable = { code: "ERR_SEALED_UNREADABLE" };
    const otherProject = { ...bob.opening, self: { ...bob.opening.self, project: "other" } };

    const job = "ff112233445566778899aabbccddeeff";
    await expect(openFrom("alice", manifest, { ...expected, job }, bob.opening)).rejects.toMatchObject(
      unreadable,
    );
    await expect(openFrom("alice", manifest, { ...expected, round: 4 }, bob.opening)).rejects.toMatchObject(
      unreadable,
    );
    await expect(openFrom("carol", manifest, expected, bob.opening)).rejects.toMatchObject(unreadable);
    await expect(openFrom("alice", manifest, expected, otherProject)).rejects.toMatchObject(unreadable);
  });

  test("more bytes than it takes, before anything is decrypted", async () => {
    const { alice, bob } = await parties(project);
    const { manifest } = await seal(alice, ["bob"]);

    await expect(
      openFrom("alice", manifest, { ...expected, maximumBytes: CHUNK }, bob.opening),
    ).rejects.toMatchObject({ code: "ERR_STREAM_REFUSED" });
  });

  test("the same content a second time, and a second reading that began meanwhile", async () => {
    const { alice, bob } = await parties(project);
    const sealed = await seal(alice, ["bob"]);
    const chunks = await chunksOf(sealed);
    const replayed = { code: "ERR_ENVELOPE_REPLAYED" };
    const meanwhile = await openFrom("alice", sealed.manifest, expected, bob.opening);
    const into = meanwhile.into(bytesSink(plaintext.length).sink);
    for (const [index, chunk] of chunks.entries()) await into.write(index * CHUNK, chunk);

    await read(bob, sealed.manifest, chunks);

    await expect(meanwhile.finish()).rejects.toMatchObject(replayed);
    await expect(openFrom("alice", sealed.manifest, expected, bob.opening)).rejects.toMatchObject(replayed);
  });

  test("content of which a chunk is missing, altered, moved or of another length", async () => {
    const { alice, bob } = await parties(project);
    const sealed = await seal(alice, ["bob"]);
    const chunks = await chunksOf(sealed);
    const [first, second, third, last] = chunks as [Bytes, Bytes, Bytes, Bytes];
    const altered = Uint8Array.from(second);
    altered[7] = (altered[7] ?? 0) ^ 1;

    const outcome = (given: readonly Bytes[]): Promise<unknown> => read(bob, sealed.manifest, given);

    await expect(outcome([first, second, third])).rejects.toMatchObject({ code: "ERR_DIGEST_MISMATCH" });
    await expect(outcome([first, altered, third, last])).rejects.toMatchObject({
      code: "ERR_SEALED_UNREADABLE",
    });
    await expect(outcome([second, first, third, last])).rejects.toMatchObject({
      code: "ERR_SEALED_UNREADABLE",
    });
    await expect(outcome([first, second, third, last.slice(1)])).rejects.toMatchObject({
      code: "ERR_STREAM_REFUSED",
    });
  });

  test("a statement that was altered, or whose signer it does not know", async () => {
    const { alice, bob } = await parties(project);
    const { manifest } = await seal(alice, ["bob"]);
    const statement = Uint8Array.from(manifest.statement);
    statement[0] = (statement[0] ?? 0) ^ 1;
    const stranger = await parties(await aProject());

    await expect(openFrom("alice", { ...manifest, statement }, expected, bob.opening)).rejects.toMatchObject({
      code: "ERR_SEALED_UNREADABLE",
    });
    await expect(
      openFrom("alice", manifest, expected, { ...bob.opening, chains: stranger.bob.chains }),
    ).rejects.toMatchObject({ code: "ERR_ENVELOPE_UNKNOWN_SENDER" });
  });
});
