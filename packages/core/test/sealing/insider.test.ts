import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { pieceAssociatedData, wrappingInfo } from "../../src/sealing/binding.ts";
import type { SealedManifest, SealingContext } from "../../src/sealing/contract.ts";
import { hpkeOpen, hpkeSeal } from "../../src/sealing/hpke.ts";
import { openFrom, sealFor } from "../../src/sealing/index.ts";
import { bytesSource } from "../../src/stream/index.ts";
import { counterNonce } from "../../src/wire/index.ts";
import { aProject, JOB, type Parties, parties } from "./parties.ts";

// Bob may read what alice sealed for him; then he passes her signed statement on as if it were for carol.

const crypto = webCrypto();
const project = await aProject();
const plaintext = new Uint8Array(100).fill(7);

async function fromAlice({ alice, bob }: Parties, round: number) {
  const content = { job: JOB, round, source: bytesSource(plaintext), totalBytes: plaintext.length };
  const { manifest } = await sealFor(["bob"], content, alice.sealing);
  const context: SealingContext = { project: project.project, job: JOB, round, from: "alice" };
  const [own] = manifest.keys;
  const key = own === undefined ? undefined : bob.ring.find(own.packageId);
  if (own === undefined || key === undefined) throw new Error("bob cannot read");
  const { streamId } = manifest.stream;
  const binding = { info: wrappingInfo(context, "bob"), aad: streamId };
  const { encapsulated, wrapped } = own;
  const raw = await hpkeOpen(key, { encapsulated, ciphertext: wrapped }, binding, crypto);
  if (raw === undefined) throw new Error("bob has no key");
  const secret = await crypto.importAesGcmKey(raw);
  const aad = pieceAssociatedData(context, streamId, { index: 0, final: false });
  const piece = await crypto.aesGcmOpen(secret, counterNonce(0), manifest.statement, aad);
  if (piece === undefined) throw new Error("bob reads no statement");
  return { manifest, piece };
}

/** Alice's signed statement under a key of bob's, in another context, for carol. */
async function passedOn(
  { carol, bob }: Parties,
  { manifest, piece }: { readonly manifest: SealedManifest; readonly piece: Bytes },
  round: number,
): Promise<SealedManifest> {
  const context: SealingContext = { project: project.project, job: JOB, round, from: "alice" };
  const { packageId, publicKey } = await bob.packages.require("carol");
  const raw = crypto.randomBytes(32);
  const { streamId } = manifest.stream;
  const binding = { info: wrappingInfo(context, "carol"), aad: streamId };
  const { encapsulated, ciphertext } = await hpkeSeal(publicKey, raw, binding, crypto);
  const aad = pieceAssociatedData(context, streamId, { index: 0, final: false });
  const statement = await crypto.aesGcmSeal(await crypto.importAesGcmKey(raw), counterNonce(0), piece, aad);
  expect(carol.identity.participant.name).toBe("carol");
  return { ...manifest, statement, keys: [{ to: "carol", packageId, encapsulated, wrapped: ciphertext }] };
}

test.for([
  ["a reader cannot pass on what was sealed for it: the sender signed for whom it is", 3, "other recipients"],
  ["a reader cannot pass it on in another round either", 4, "another project, job, round or sender"],
] as const)("%s", async ([, round, message]) => {
  const all = await parties(project);
  const manifest = await passedOn(all, await fromAlice(all, 3), round);

  const opening = openFrom("alice", manifest, { job: JOB, round, maximumBytes: 2 ** 20 }, all.carol.opening);

  await expect(opening).rejects.toMatchObject({
    code: "ERR_SEALED_MISMATCH",
    message: expect.stringContaining(message),
  });
});
