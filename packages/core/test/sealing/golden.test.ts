import { expect, test } from "vitest";
import { type Bytes, equalBytes, fromHex, toHex } from "../../src/bytes/index.ts";
import { ChainDirectory, memoryReplayStore } from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { pieceAssociatedData, wrappingInfo } from "../../src/sealing/binding.ts";
import { KeyPackageBook, openFrom, type SealedManifest, sealFor } from "../../src/sealing/index.ts";
import { bytesSink, bytesSource, chunkLength } from "../../src/stream/index.ts";
import type { TensorEntry } from "../../src/tensor/index.ts";
import { virtualClock } from "../../src/testing/index.ts";
import vector from "../vectors/sealing-1.json" with { type: "json" };

// Golden bytes: what was sealed once opens for ever, and the same keys and content give the same bytes again.

const crypto = webCrypto();
const clock = virtualClock({ startMs: vector.nowMs });
const { project, job, round, from, to } = vector;
const plaintext = Uint8Array.from({ length: 65_560 }, (_, index) => index % 251);
const packageId = fromHex(vector.packageId);
const streamId = fromHex(vector.streamId);

const manifest: SealedManifest = {
  stream: {
    streamId,
    chunkBytes: vector.chunkBytes,
    totalBytes: vector.totalBytes,
    leaves: fromHex(vector.leaves),
    root: fromHex(vector.streamRoot),
  },
  statement: fromHex(vector.statement),
  keys: [{ to, packageId, encapsulated: fromHex(vector.encapsulated), wrapped: fromHex(vector.wrapped) }],
};

async function knownChains(): Promise<ChainDirectory> {
  const chains = new ChainDirectory({ project, root: fromHex(vector.root) }, { crypto });
  for (const chain of [vector.aliceChain, vector.bobChain])
    await chains.add(chain.map(fromHex), vector.nowMs);
  return chains;
}

/** Seals the content of the vector with its keys; only the signature inside differs. */
async function sealedAgain() {
  const chains = await knownChains();
  const packages = new KeyPackageBook({ project, self: from }, { crypto, clock, chains });
  await packages.accept(fromHex(vector.bobKeyPackage));
  const { participant } = await chains.require(
    await crypto.sha256(fromHex(vector.aliceChain[0] ?? "")),
    vector.nowMs,
  );
  const ephemeral = await crypto.importAgreementKey(
    fromHex(vector.ephemeralPrivateKey),
    fromHex(vector.ephemeralPublicKey),
  );
  const drawn = [fromHex(vector.contentKey), fromHex(vector.streamId)];
  const fixed = {
    ...crypto,
    randomBytes: (length: number): Bytes => {
      const next = drawn.shift();
      if (next?.byteLength !== length) throw new Error("drawn in another order");
      return next;
    },
    generateAgreementKey: () => ephemeral,
  };
  const content = {
    job,
    round,
    source: bytesSource(plaintext),
    totalBytes: plaintext.length,
    chunkBytes: vector.chunkBytes,
  };
  const identity = { participant, signingKey: await crypto.generateSigningKey(1) };
  return await sealFor([to], content, { identity, packages, crypto: fixed, clock });
}

test("what keys and pieces are bound to has the bytes of the vector", () => {
  const context = { project, job, round, from };

  expect(toHex(wrappingInfo(context, to))).toBe(vector.info);
  const bound = [0, 1, 2].map((index) =>
    pieceAssociatedData(context, streamId, { index, final: index === 2 }),
  );
  expect(bound.map(toHex)).toEqual(vector.associatedData);
});

test("the same keys and content give the same ciphertext and the same wrapped key", async () => {
  const { manifest: again, source } = await sealedAgain();

  expect(again.stream).toEqual(manifest.stream);
  expect(again.keys).toEqual(manifest.keys);
  expect(toHex(await source.read(vector.chunkBytes, chunkLength(manifest.stream, 1)))).toBe(vector.lastChunk);
});

test("the recorded content opens, and its sender and statement are proved", async () => {
  const chains = await knownChains();
  const { participant: self } = await chains.require(
    await crypto.sha256(fromHex(vector.bobChain[0] ?? "")),
    vector.nowMs,
  );
  const key = await crypto.importAgreementKey(fromHex(vector.bobPrivateKey), fromHex(vector.bobPublicKey));
  const keys = { find: (id: Bytes) => (equalBytes(id, packageId) ? key : undefined) };
  const modules = { self, keys, chains, replay: memoryReplayStore({ clock }), crypto, clock };
  const { source } = await sealedAgain();

  const opening = await openFrom(from, manifest, { job, round, maximumBytes: 2 ** 20 }, modules);
  const { sink, bytes } = bytesSink(opening.statement.totalBytes);
  const into = opening.into(sink);
  await into.write(vector.chunkBytes, fromHex(vector.lastChunk));
  await into.write(0, await source.read(0, vector.chunkBytes));
  const statement = await opening.finish();

  expect(equalBytes(bytes, plaintext)).toBe(true);
  expect(statement).toMatchObject({
    norm: vector.norm,
    exampleCount: vector.exampleCount,
    tensors: vector.tensors as TensorEntry[],
    recipients: [to],
    issuedAt: vector.nowMs,
  });
  expect(statement.sender).toMatchObject({ name: from, role: "site" });
});
