import type { Bytes } from "../bytes/index.ts";
import type { Participant } from "../pki/index.ts";
import type { StreamManifest, StreamSource } from "../stream/index.ts";
import type { TensorEntry } from "../tensor/index.ts";

/** What sealed content belongs to; every key and every piece of it is bound to this. */
export interface SealingContext {
  /** Name of the project. */
  readonly project: string;
  /** Id of the job: 32 hexadecimal digits. */
  readonly job: string;
  /** Round of the job, 0 to 2^32 - 1. */
  readonly round: number;
  /** Name of the sender. */
  readonly from: string;
}

/** The content key for one recipient, under that recipient's key package (HPKE, RFC 9180). */
export interface WrappedKey {
  /** Name of the recipient. */
  readonly to: string;
  /** Key package that was used: 16 bytes. */
  readonly packageId: Bytes;
  /** Encapsulated key: 32 bytes. */
  readonly encapsulated: Bytes;
  /** Content key under it: 48 bytes. */
  readonly wrapped: Bytes;
}

/** All that the server sees of sealed content: for whom it is, lengths, and digests of ciphertext. */
export interface SealedManifest {
  /** Of the ciphertext chunks; its streamId is that of the content key. */
  readonly stream: StreamManifest;
  /** Piece 0, encrypted: what the sender says of the content, signed. */
  readonly statement: Bytes;
  /** One entry a recipient. */
  readonly keys: readonly WrappedKey[];
}

/** Sealed content, ready to leave. */
export interface SealedContent {
  /** Goes before. */
  readonly manifest: SealedManifest;
  /** The ciphertext chunks of `manifest.stream`, encrypted again when they are read: they are in memory one at a time. */
  readonly source: StreamSource;
}

/** What is sealed. */
export interface ContentToSeal {
  /** Id of the job: 32 hexadecimal digits. */
  readonly job: string;
  /** Round of the job, 0 to 2^32 - 1. */
  readonly round: number;
  /** The plaintext; read twice, and the same both times. */
  readonly source: StreamSource;
  /** Bytes of the plaintext, at least 1. */
  readonly totalBytes: number;
  /** Bytes of a ciphertext chunk, 64 KiB to 1 MiB; default 256 KiB. */
  readonly chunkBytes?: number;
  /** Where tensors lie in the plaintext; default none. */
  readonly tensors?: readonly TensorEntry[];
  /** L2 norm that the sender declares; default 0. */
  readonly norm?: number;
  /** Examples that it rests on; default 0. */
  readonly exampleCount?: number;
}

/** What the sender signed of the content, after all checks of its recipient. */
export interface SealedStatement {
  /** Who sealed it, from the certificate. */
  readonly sender: Participant;
  /** The sender's time, ms since 1970. */
  readonly issuedAt: number;
  /** Everybody who can read it, in the sender's order. */
  readonly recipients: readonly string[];
  /** Bytes of the plaintext. */
  readonly totalBytes: number;
  /** Root over the plaintext chunks: 32 bytes. */
  readonly plaintextRoot: Bytes;
  /** Where tensors lie in the plaintext. */
  readonly tensors: readonly TensorEntry[];
  /** L2 norm as declared. */
  readonly norm: number;
  /** Examples that it rests on. */
  readonly exampleCount: number;
}
