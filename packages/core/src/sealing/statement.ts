import type { Bytes } from "../bytes/index.ts";
import { type PositionalReader, readPositional, writePositional } from "../decomposer/index.ts";
import { DecomposerError } from "../errors/index.ts";
import { isDType, MAX_RANK, type TensorEntry } from "../tensor/index.ts";
import { PROTOCOL_VERSION } from "../wire/index.ts";
import { jobBytes } from "./binding.ts";
import type { SealingContext } from "./contract.ts";

/** Most recipients of one content. */
export const MAX_RECIPIENTS = 256;
/** Longest statement with its signature, in bytes: 256 KiB, some thousand tensors. */
export const MAX_STATEMENT_BYTES = 262_144;
/** Most tensors of one content. */
const MAX_TENSORS = 4096;
const MAX_NAME_BYTES = 128;

/** Everything that the sender signs. */
export interface StatementFields {
  /** Algorithm of the signature, that of the sender's key. */
  readonly algorithm: number;
  /** Job and round, sender, project. */
  readonly context: SealingContext;
  /** 16 bytes. */
  readonly streamId: Bytes;
  /** ms since 1970 on the sender's clock. */
  readonly issuedAt: number;
  /** Name and key package of each recipient, in the order of the manifest. */
  readonly recipients: readonly { readonly to: string; readonly packageId: Bytes }[];
  /** Plaintext bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** Plaintext bytes. */
  readonly totalBytes: number;
  /** Root over the plaintext chunks: 32 bytes. */
  readonly plaintextRoot: Bytes;
  /** Examples that the content rests on. */
  readonly exampleCount: number;
  /** L2 norm as declared. */
  readonly norm: number;
  /** Where tensors lie in the plaintext. */
  readonly tensors: readonly TensorEntry[];
}

/** The bytes that are signed: one encoding for one statement. */
export function writeStatement(fields: StatementFields): Bytes {
  const { context, recipients, tensors } = fields;
  return writePositional([
    PROTOCOL_VERSION,
    fields.algorithm,
    context.project,
    jobBytes(context.job),
    context.round,
    context.from,
    fields.streamId,
    fields.issuedAt,
    recipients.map(({ to, packageId }) => [to, packageId]),
    fields.chunkBytes,
    fields.totalBytes,
    fields.plaintextRoot,
    fields.exampleCount,
    fields.norm,
    tensors.map(({ name, dtype, shape, offset }) => [name, dtype, [...shape], offset]),
  ]);
}

/** Statement fields as they were read; the job is still 16 bytes, to be compared. */
export interface StatementRead extends Omit<StatementFields, "context"> {
  /** Name of the project. */
  readonly project: string;
  /** 16 bytes. */
  readonly job: Bytes;
  /** Round of the job. */
  readonly round: number;
  /** Name of the sender. */
  readonly from: string;
}

/** @throws DecomposerError `ERR_DECODE_REFUSED` naming the position */
export function readStatement(bytes: Bytes): StatementRead {
  return readPositional(bytes, (reader) => {
    reader.uint(PROTOCOL_VERSION, PROTOCOL_VERSION);
    return {
      algorithm: reader.uint(3, 1),
      project: reader.text(MAX_NAME_BYTES, 1),
      job: reader.bin(16),
      round: reader.uint(0xffff_ffff),
      from: reader.text(MAX_NAME_BYTES, 1),
      streamId: reader.bin(16),
      issuedAt: reader.uint(),
      recipients: reader.array(MAX_RECIPIENTS, () => readRecipient(reader), 1),
      chunkBytes: reader.uint(),
      totalBytes: reader.uint(),
      plaintextRoot: reader.bin(32),
      exampleCount: reader.uint(2 ** 48),
      norm: requireNotNegative(reader.finite()),
      tensors: reader.array(MAX_TENSORS, () => readTensor(reader)),
    };
  });
}

function readRecipient(reader: PositionalReader): { readonly to: string; readonly packageId: Bytes } {
  return reader.tuple(() => ({ to: reader.text(MAX_NAME_BYTES, 1), packageId: reader.bin(16) }));
}

function readTensor(reader: PositionalReader): TensorEntry {
  return reader.tuple(() => {
    const name = reader.text(256, 1);
    const dtype = reader.text(8, 1);
    if (!isDType(dtype)) throw new DecomposerError("ERR_DECODE_REFUSED", `tensor ${name} has no known dtype`);
    const shape = reader.array(MAX_RANK, () => reader.uint(2 ** 31));
    return { name, dtype, shape, offset: reader.uint(2 ** 32) };
  });
}

function requireNotNegative(norm: number): number {
  if (norm >= 0) return norm;
  throw new DecomposerError("ERR_DECODE_REFUSED", "a norm is not negative");
}

/** Piece 0 in clear: who signed, what, and the signature. */
export interface SignedStatement {
  /** SHA-256 of the signer's leaf certificate. */
  readonly signer: Bytes;
  /** As {@link writeStatement} wrote it. */
  readonly statement: Bytes;
  /** Over S("sealed", statement). */
  readonly signature: Bytes;
}

/** The bytes of piece 0 before its encryption. */
export function writeSignedStatement({ signer, statement, signature }: SignedStatement): Bytes {
  return writePositional([signer, statement, signature]);
}

/** @throws DecomposerError `ERR_DECODE_REFUSED` */
export function readSignedStatement(bytes: Bytes): SignedStatement {
  return readPositional(bytes, (reader) => ({
    signer: reader.bin(32),
    statement: reader.bin(undefined, MAX_STATEMENT_BYTES),
    signature: reader.bin(undefined, 512),
  }));
}
