import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { ChainDirectory, ObjectReplayStore } from "../envelope/index.ts";
import { MAX_OBJECT_LIFETIME_MS } from "../envelope/index.ts";
import { EnvelopeError, SealingError } from "../errors/index.ts";
import type { Participant, Role } from "../pki/index.ts";
import type { AgreementKey, Clock, CryptoProvider, SecretKey } from "../platform/index.ts";
import {
  checkManifest,
  chunkCount,
  chunkLength,
  LEAF_BYTES,
  rootOf,
  type StreamSink,
} from "../stream/index.ts";
import { counterNonce, labelled, TAG_BYTES } from "../wire/index.ts";
import { jobBytes, pieceAssociatedData, plaintextPlan, STATEMENT_PIECE, wrappingInfo } from "./binding.ts";
import type { SealedManifest, SealedStatement, SealingContext, WrappedKey } from "./contract.ts";
import { hpkeOpen } from "./hpke.ts";
import { DEFAULT_SEALING_ROLES } from "./key-package.ts";
import type { KeyRing } from "./key-ring.ts";
import { readSignedStatement, readStatement, type StatementRead } from "./statement.ts";

/** What the reader expects; everything else is refused. */
export interface OpenOptions {
  /** Id of the job that the reader takes part in: 32 hexadecimal digits. */
  readonly job: string;
  /** Round that it is in. */
  readonly round: number;
  /** Most bytes of ciphertext that it takes. */
  readonly maximumBytes: number;
  /** Roles that may seal. Default: sites. */
  readonly roles?: readonly Role[];
}

/** What {@link openFrom} works with. */
export interface OpenModules {
  /** Who reads. */
  readonly self: Participant;
  /** Own private keys. */
  readonly keys: Pick<KeyRing, "find">;
  /** Chains of senders by digest of the leaf. */
  readonly chains: ChainDirectory;
  /** Contents that were opened: none is opened twice. */
  readonly replay: ObjectReplayStore;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** The local clock. */
  readonly clock: Pick<Clock, "now">;
}

/**
 * Begins to open content that `sealFor` sealed for this participant. When it returns, sender, recipients, job, round and
 * lengths are proved by the sender's signature; then the chunks may come, in any order, and {@link SealedOpener.finish}
 * tells whether they are what was signed.
 *
 * ```ts
 * const content = await openFrom("site-1", manifest, { job, round, maximumBytes }, modules);
 * await session.acceptStream(manifest.stream, content.into(sink));
 * const { tensors, exampleCount } = await content.finish();
 * ```
 *
 * @param from name of the sender
 * @param manifest as its schema proved it
 * @throws EnvelopeError `ERR_ENVELOPE_WRONG_RECIPIENT`, `ERR_ENVELOPE_REPLAYED`, `ERR_STREAM_REFUSED`,
 *   `ERR_DIGEST_MISMATCH`, `ERR_ENVELOPE_UNKNOWN_SENDER`, `ERR_ENVELOPE_SIGNATURE_INVALID`; SealingError
 *   `ERR_KEY_PACKAGE_MISSING`, `ERR_SEALED_UNREADABLE`, `ERR_SEALED_MISMATCH`; PkiError; DecomposerError
 */
export async function openFrom(
  from: string,
  manifest: SealedManifest,
  options: OpenOptions,
  modules: OpenModules,
): Promise<SealedOpener> {
  const { self, replay, crypto } = modules;
  const context: SealingContext = { project: self.project, job: options.job, round: options.round, from };
  const own = requireOwnKey(manifest, modules);
  await requireUnread(manifest, replay);
  await checkManifest(manifest.stream, options.maximumBytes, crypto);
  const secret = await unwrapKey(manifest, context, own, modules);
  const pieces: Pieces = { context, manifest, secret, crypto };
  const { statement, sender } = await openStatement(pieces, options, modules);
  requireAgreement(statement, pieces);
  return new SealedOpener(pieces, { ...described(statement), sender }, modules);
}

interface OwnKey {
  readonly entry: WrappedKey;
  readonly key: AgreementKey;
}

function requireOwnKey({ keys }: SealedManifest, modules: OpenModules): OwnKey {
  const entries = keys.filter(({ to }) => to === modules.self.name);
  // [W-132]
  if (entries.length === 0) {
    throw new EnvelopeError("ERR_ENVELOPE_WRONG_RECIPIENT", "the content is sealed for others");
  }
  for (const entry of entries) {
    const key = modules.keys.find(entry.packageId);
    if (key !== undefined) return { entry, key };
  }
  // [W-133]
  throw new SealingError(
    "ERR_KEY_PACKAGE_MISSING",
    "the key package that the content was sealed with is gone",
  );
}

async function requireUnread({ stream }: SealedManifest, replay: ObjectReplayStore): Promise<void> {
  // [W-134]
  if ((await replay.digestOf(stream.streamId)) === undefined) return;
  throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "the content was opened before");
}

async function unwrapKey(
  { stream }: SealedManifest,
  context: SealingContext,
  { entry, key }: OwnKey,
  { self, crypto }: OpenModules,
): Promise<SecretKey> {
  const { encapsulated, wrapped } = entry;
  const binding = { info: wrappingInfo(context, self.name), aad: stream.streamId };
  const raw = await hpkeOpen(key, { encapsulated, ciphertext: wrapped }, binding, crypto);
  // [W-135] the binding holds project, job, round, sender, recipient and stream
  if (raw === undefined) throw unreadable("its key");
  const secret = await crypto.importAesGcmKey(raw);
  raw.fill(0);
  return secret;
}

/** Encrypted pieces under one content key. */
interface Pieces {
  readonly context: SealingContext;
  readonly manifest: SealedManifest;
  readonly secret: SecretKey;
  readonly crypto: CryptoProvider;
}

async function openPiece(pieces: Pieces, index: number, ciphertext: Bytes): Promise<Bytes> {
  const { stream } = pieces.manifest;
  const final = index === chunkCount(stream);
  const aad = pieceAssociatedData(pieces.context, stream.streamId, { index, final });
  const data = await pieces.crypto.aesGcmOpen(pieces.secret, counterNonce(index), ciphertext, aad);
  // [W-136]
  if (data === undefined)
    throw unreadable(index === STATEMENT_PIECE ? "its statement" : `chunk ${index - 1}`);
  return data;
}

async function openStatement(
  pieces: Pieces,
  { roles = DEFAULT_SEALING_ROLES }: OpenOptions,
  { chains, clock, crypto }: OpenModules,
): Promise<{ readonly statement: StatementRead; readonly sender: Participant }> {
  const piece = await openPiece(pieces, STATEMENT_PIECE, pieces.manifest.statement);
  const { signer, statement: bytes, signature } = readSignedStatement(piece);
  const { participant: sender, verifyingKey } = await chains.require(signer, clock.now());
  // [W-137]
  if (sender.name !== pieces.context.from || !roles.includes(sender.role)) {
    throw mismatch(`it is signed by ${sender.name} (${sender.role})`);
  }
  // [W-138] before the statement is looked at
  const isSigned = await crypto.verify(verifyingKey, signature, labelled("sealed", bytes));
  const statement = isSigned ? readStatement(bytes) : undefined;
  if (statement?.algorithm !== verifyingKey.algorithm) {
    throw new EnvelopeError(
      "ERR_ENVELOPE_SIGNATURE_INVALID",
      "the content is not signed by the key of its sender",
    );
  }
  return { statement, sender };
}

/** A reader who passes on what it was sent, or a server that changes the list, is found here. */
function requireAgreement(statement: StatementRead, { context, manifest }: Pieces): void {
  const { stream, keys } = manifest;
  const plan = plaintextPlan(stream);
  const isOfContext =
    statement.project === context.project &&
    equalBytes(statement.job, jobBytes(context.job)) &&
    statement.round === context.round &&
    statement.from === context.from;
  // [W-139]
  if (!isOfContext) throw mismatch("it is signed for another project, job, round or sender");
  if (
    !equalBytes(statement.streamId, stream.streamId) ||
    statement.chunkBytes !== plan.chunkBytes ||
    statement.totalBytes !== plan.totalBytes
  ) {
    throw mismatch("it is signed with another stream or other lengths");
  }
  const isSameList =
    statement.recipients.length === keys.length &&
    statement.recipients.every(({ to, packageId }, index) => {
      const key = keys[index];
      return key !== undefined && key.to === to && equalBytes(key.packageId, packageId);
    });
  // [W-140]
  if (!isSameList) throw mismatch("it is signed for other recipients");
}

function described(statement: StatementRead): Omit<SealedStatement, "sender"> {
  const { issuedAt, totalBytes, plaintextRoot, tensors, norm, exampleCount } = statement;
  const recipients = statement.recipients.map(({ to }) => to);
  return { issuedAt, recipients, totalBytes, plaintextRoot, tensors, norm, exampleCount };
}

function unreadable(what: string): SealingError {
  return new SealingError(
    "ERR_SEALED_UNREADABLE",
    `${what} does not open: altered, or sealed for another recipient, sender, job, round or stream`,
  );
}

function mismatch(how: string): SealingError {
  return new SealingError("ERR_SEALED_MISMATCH", `the content is not what was handed over: ${how}`);
}

/** Opens the chunks of one content. Made by {@link openFrom}. */
export class SealedOpener {
  /** What the sender signed; true of the content only once {@link finish} has returned. */
  readonly statement: SealedStatement;
  readonly #pieces: Pieces;
  readonly #modules: Pick<OpenModules, "replay" | "clock">;
  readonly #leaves: Uint8Array<ArrayBuffer>;
  readonly #received: Uint8Array;
  #missing: number;

  /** Made by {@link openFrom}. */
  constructor(pieces: Pieces, statement: SealedStatement, modules: Pick<OpenModules, "replay" | "clock">) {
    this.#pieces = pieces;
    this.statement = statement;
    this.#modules = modules;
    this.#missing = chunkCount(pieces.manifest.stream);
    this.#received = new Uint8Array(this.#missing);
    this.#leaves = new Uint8Array(LEAF_BYTES * this.#missing);
  }

  /**
   * A sink for the chunks of `manifest.stream` that writes their plaintext to `sink`, in any order. Until
   * {@link finish} nothing of it may be used.
   */
  into(sink: StreamSink): StreamSink {
    return { write: (offset, ciphertext) => this.#accept(offset, ciphertext, sink) };
  }

  /**
   * Proves that the plaintext is what the sender signed, and sees to it that it is not opened again.
   * @throws EnvelopeError `ERR_DIGEST_MISMATCH` when it is not, or chunks are missing; `ERR_ENVELOPE_REPLAYED` when it was
   *   opened meanwhile
   */
  async finish(): Promise<SealedStatement> {
    const { manifest, crypto } = this.#pieces;
    const root = await rootOf(plaintextPlan(manifest.stream), this.#leaves, crypto);
    // [W-141]
    if (this.#missing > 0 || !equalBytes(root, this.statement.plaintextRoot)) {
      throw new EnvelopeError("ERR_DIGEST_MISMATCH", "the content is not the one that its sender signed");
    }
    const { replay, clock } = this.#modules;
    await requireUnread(manifest, replay);
    const expiresAt = clock.now() + MAX_OBJECT_LIFETIME_MS; // no job lives longer
    const objectId = manifest.stream.streamId;
    await replay.record({ objectId, digest: root, expiresAt, counted: undefined });
    return this.statement;
  }

  async #accept(offset: number, ciphertext: Bytes, sink: StreamSink): Promise<void> {
    const { stream } = this.#pieces.manifest;
    const index = offset / stream.chunkBytes;
    const isChunk =
      Number.isSafeInteger(index) &&
      index >= 0 &&
      index < this.#received.length &&
      ciphertext.byteLength > TAG_BYTES;
    if (!isChunk || ciphertext.byteLength !== chunkLength(stream, index)) {
      throw new EnvelopeError("ERR_STREAM_REFUSED", "a chunk that is not in the manifest");
    }
    if (this.#received[index] === 1) return;
    const data = await openPiece(this.#pieces, index + 1, ciphertext);
    this.#leaves.set(await this.#pieces.crypto.sha256(data), LEAF_BYTES * index);
    if (this.#received[index] === 1) return; // the same chunk was opened meanwhile
    this.#received[index] = 1;
    await sink.write(index * plaintextPlan(stream).chunkBytes, data);
    this.#missing -= 1;
  }
}
