import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider, SecretKey } from "../platform/index.ts";
import {
  type ChunkPlan,
  chunkCount,
  chunkLength,
  ciphertextPlan,
  DEFAULT_CHUNK_BYTES,
  LEAF_BYTES,
  leafOf,
  MAX_CHUNK_BYTES,
  MAX_CHUNKS,
  MIN_CHUNK_BYTES,
  rootOf,
  type StreamManifest,
  type StreamSource,
} from "../stream/index.ts";
import { counterNonce, labelled, TAG_BYTES } from "../wire/index.ts";
import { pieceAssociatedData, STATEMENT_PIECE, wrappingInfo } from "./binding.ts";
import type { ContentToSeal, SealedContent, SealingContext, WrappedKey } from "./contract.ts";
import { hpkeSeal } from "./hpke.ts";
import type { KeyPackage } from "./key-package.ts";
import type { KeyPackageBook } from "./key-package-book.ts";
import { CONTENT_KEY_BYTES } from "./manifest.ts";
import { MAX_RECIPIENTS, MAX_STATEMENT_BYTES, writeSignedStatement, writeStatement } from "./statement.ts";

/** What {@link sealFor} works with. */
export interface SealModules {
  /** Who seals and signs. */
  readonly identity: Identity;
  /** Where the keys of the recipients are. */
  readonly packages: Pick<KeyPackageBook, "require">;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Time, and turns for other work. */
  readonly clock: Pick<Clock, "now" | "yield">;
}

/** Bytes between two turns for other work: some milliseconds of hashing and encryption. */
const YIELD_BYTES = 1_048_576;

/** One content on its way into ciphertext. */
interface Sealing {
  readonly context: SealingContext;
  readonly content: ContentToSeal;
  /** Of the plaintext. */
  readonly plan: ChunkPlan;
  readonly streamId: Bytes;
  readonly secret: SecretKey;
  readonly crypto: CryptoProvider;
}

/**
 * Seals content end to end for participants whom it reaches through the server: a fresh content key, AES-256-GCM
 * pieces, the key wrapped for each recipient by HPKE, and inside, signed, what the content is and for whom.
 *
 * ```ts
 * const { manifest, source } = await sealFor(["site-2", "site-3"], { job, round, source, totalBytes }, modules);
 * ```
 *
 * @param recipients 1 to 256 names, each once
 * @throws SealingError `ERR_KEY_PACKAGE_MISSING`; PkiError when a recipient's certificate is no longer valid; RangeError
 *   for sizes outside the limits of a stream
 */
export async function sealFor(
  recipients: readonly string[],
  content: ContentToSeal,
  modules: SealModules,
): Promise<SealedContent> {
  const { identity, packages, crypto, clock } = modules;
  requireRecipients(recipients);
  const plan = planOf(content);
  const readers = await Promise.all(recipients.map((name) => packages.require(name)));
  const { project, name: from } = identity.participant;
  const context: SealingContext = { project, job: content.job, round: content.round, from };
  const key = crypto.randomBytes(CONTENT_KEY_BYTES);
  const streamId = crypto.randomBytes(16);
  const secret = await crypto.importAesGcmKey(key);
  const sealing: Sealing = { context, content, plan, streamId, secret, crypto };
  const keys = await Promise.all(readers.map((reader) => wrapKey(sealing, key, reader)));
  key.fill(0);
  const { stream, plaintextRoot } = await describeChunks(sealing, clock);
  const statement = await sealStatement(sealing, { keys, plaintextRoot, issuedAt: clock.now(), identity });
  return { manifest: { stream, statement, keys }, source: ciphertextSource(sealing, stream) };
}

function requireRecipients(recipients: readonly string[]): void {
  const isWithin = recipients.length >= 1 && recipients.length <= MAX_RECIPIENTS;
  if (!isWithin || new Set(recipients).size !== recipients.length) {
    throw new RangeError(`content is sealed for 1 to ${MAX_RECIPIENTS} recipients, each once`);
  }
}

function planOf({ totalBytes, chunkBytes = DEFAULT_CHUNK_BYTES }: ContentToSeal): ChunkPlan {
  const isChunk =
    Number.isSafeInteger(chunkBytes) && chunkBytes >= MIN_CHUNK_BYTES && chunkBytes <= MAX_CHUNK_BYTES;
  const plan = { chunkBytes: chunkBytes - TAG_BYTES, totalBytes };
  if (!isChunk || !Number.isSafeInteger(totalBytes) || totalBytes < 1 || chunkCount(plan) > MAX_CHUNKS) {
    throw new RangeError(`cannot seal ${totalBytes} bytes in chunks of ${chunkBytes}`);
  }
  return plan;
}

async function wrapKey(
  { context, streamId, crypto }: Sealing,
  key: Bytes,
  reader: KeyPackage,
): Promise<WrappedKey> {
  const to = reader.owner.name;
  const binding = { info: wrappingInfo(context, to), aad: streamId };
  const { encapsulated, ciphertext } = await hpkeSeal(reader.publicKey, key, binding, crypto);
  return { to, packageId: reader.packageId, encapsulated, wrapped: ciphertext };
}

/** One pass: digests of plaintext and ciphertext, chunk by chunk; nothing is kept. */
async function describeChunks(
  sealing: Sealing,
  clock: SealModules["clock"],
): Promise<{ readonly stream: StreamManifest; readonly plaintextRoot: Bytes }> {
  const { plan, streamId, crypto } = sealing;
  const count = chunkCount(plan);
  const [plaintextLeaves, leaves] = [new Uint8Array(LEAF_BYTES * count), new Uint8Array(LEAF_BYTES * count)];
  let sinceYield = 0;
  for (let index = 0; index < count; index++) {
    const data = await readChunk(sealing, index);
    plaintextLeaves.set(await crypto.sha256(data), LEAF_BYTES * index);
    leaves.set(await crypto.sha256(await sealChunk(sealing, index, data)), LEAF_BYTES * index);
    sinceYield += plan.chunkBytes;
    if (sinceYield >= YIELD_BYTES) {
      sinceYield = 0;
      await clock.yield();
    }
  }
  const ciphertext = ciphertextPlan(plan);
  const root = await rootOf(ciphertext, leaves, crypto);
  return {
    stream: { streamId, ...ciphertext, leaves, root },
    plaintextRoot: await rootOf(plan, plaintextLeaves, crypto),
  };
}

async function readChunk({ content, plan }: Sealing, index: number): Promise<Bytes> {
  const length = chunkLength(plan, index);
  const data = await content.source.read(index * plan.chunkBytes, length);
  if (data.byteLength !== length) throw new RangeError("the source gave another number of bytes");
  return data;
}

async function sealChunk(sealing: Sealing, index: number, data: Bytes): Promise<Bytes> {
  return await sealPiece(sealing, index + 1, data);
}

async function sealPiece(
  { context, plan, streamId, secret, crypto }: Sealing,
  index: number,
  data: Bytes,
): Promise<Bytes> {
  const aad = pieceAssociatedData(context, streamId, { index, final: index === chunkCount(plan) });
  return await crypto.aesGcmSeal(secret, counterNonce(index), data, aad);
}

interface StatementParts {
  readonly keys: readonly WrappedKey[];
  readonly plaintextRoot: Bytes;
  readonly issuedAt: number;
  readonly identity: Identity;
}

async function sealStatement(sealing: Sealing, parts: StatementParts): Promise<Bytes> {
  const { context, content, plan, streamId, crypto } = sealing;
  const { keys, plaintextRoot, identity } = parts;
  const statement = writeStatement({
    algorithm: identity.signingKey.algorithm,
    context,
    streamId,
    issuedAt: Math.trunc(parts.issuedAt),
    recipients: keys.map(({ to, packageId }) => ({ to, packageId })),
    ...plan,
    plaintextRoot,
    exampleCount: content.exampleCount ?? 0,
    norm: content.norm ?? 0,
    tensors: content.tensors ?? [],
  });
  const signature = await crypto.sign(identity.signingKey, labelled("sealed", statement));
  const piece = writeSignedStatement({ signer: identity.participant.leafDigest, statement, signature });
  if (piece.byteLength > MAX_STATEMENT_BYTES) throw new RangeError("the tensor table is too long to seal");
  return await sealPiece(sealing, STATEMENT_PIECE, piece);
}

/** Encrypts each chunk again when it is sent, so that the ciphertext is in memory one chunk at a time. */
function ciphertextSource(sealing: Sealing, stream: StreamManifest): StreamSource {
  return {
    async read(offset, length) {
      const index = offset / stream.chunkBytes;
      if (!Number.isSafeInteger(index) || length !== chunkLength(stream, index)) {
        throw new RangeError("sealed content is read in whole chunks");
      }
      const sealed = await sealChunk(sealing, index, await readChunk(sealing, index));
      // Another plaintext under the same key and nonce would give both away: it never leaves.
      if (!equalBytes(await sealing.crypto.sha256(sealed), leafOf(stream.leaves, index))) {
        throw new RangeError("the source changed while it was sealed");
      }
      return sealed;
    },
  };
}
