import type { KeyObject } from "node:crypto";
import type { Holder } from "./certificate.ts";
import { readFields } from "./fields.ts";
import { labelled } from "./frame.ts";
import { openHpke } from "./hpke.ts";
import { nonce } from "./noise.ts";
import { isSigned, open, sha256 } from "./primitives.ts";
import { demand } from "./refused.ts";
import { checkManifest, type Manifest, rootOf } from "./stream.ts";

/** The outer manifest of sealed content. */
export interface SealedManifest {
  readonly stream: Manifest;
  readonly statement: Buffer;
  readonly keys: readonly {
    readonly to: string;
    readonly packageId: Buffer;
    readonly encapsulated: Buffer;
    readonly wrapped: Buffer;
  }[];
}

/** Who reads what, where. */
export interface Reading {
  readonly project: string;
  /** 16 bytes. */
  readonly job: Buffer;
  readonly round: number;
  readonly from: string;
  readonly self: string;
  /** Key packages of one's own by their ids in hexadecimal. */
  readonly packages: ReadonlyMap<string, KeyObject>;
  readonly signers: readonly Holder[];
}

const UNREADABLE = 4072;
const MISMATCH = 4073;

const named = (text: string): Buffer =>
  Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Opens content that was sealed for `self`: [W-132] to [W-141]. Chunks come in order. */
export function openSealed(manifest: SealedManifest, chunks: readonly Buffer[], reading: Reading): Buffer {
  const { stream } = manifest;
  const context = Buffer.concat([
    named(reading.project),
    reading.job,
    u32(reading.round),
    named(reading.from),
  ]);
  const key = unwrap(manifest, context, reading);
  checkManifest(stream);
  const piece = (sealed: Buffer, index: number): Buffer => {
    const final = Buffer.of(index === chunks.length ? 1 : 0);
    const plaintext = open(
      key,
      nonce(index),
      sealed,
      Buffer.concat([context, stream.streamId, u32(index), final]),
    );
    demand(plaintext !== undefined, UNREADABLE, `piece ${index} does not open`); // [W-136]
    return plaintext;
  };
  const statement = verifyStatement(piece(manifest.statement, 0), manifest, reading);
  const plaintexts = chunks.map((chunk, index) => {
    demand(sha256(chunk).equals(stream.leaves.subarray(32 * index, 32 * index + 32)), 4018, "another chunk");
    return piece(chunk, index + 1);
  });
  const plaintext = Buffer.concat(plaintexts);
  const leaves = Buffer.concat(plaintexts.map((chunk) => sha256(chunk)));
  const root = rootOf(statement.chunkBytes, plaintext.length, leaves);
  demand(root.equals(statement.plaintextRoot), 4018, "another plaintext"); // [W-141]
  return plaintext;
}

function unwrap({ keys, stream }: SealedManifest, context: Buffer, { self, packages }: Reading): Buffer {
  const own = keys.filter(({ to }) => to === self);
  demand(own.length > 0, 4016, "for somebody else"); // [W-132]
  const wrapped = own.find(({ packageId }) => packages.has(packageId.toString("hex")));
  const privateKey = packages.get(wrapped?.packageId.toString("hex") ?? "");
  demand(wrapped !== undefined && privateKey !== undefined, 4070, "an unknown key package"); // [W-133]
  const sealed = { encapsulated: wrapped.encapsulated, ciphertext: wrapped.wrapped };
  const info = labelled("content-key", context, named(self));
  const key = openHpke(privateKey, sealed, { info, aad: stream.streamId });
  demand(key !== undefined, UNREADABLE, "the key does not unwrap"); // [W-135]
  return key;
}

interface Statement {
  readonly chunkBytes: number;
  readonly plaintextRoot: Buffer;
}

function verifyStatement(bytes: Buffer, { stream, keys }: SealedManifest, reading: Reading): Statement {
  const [signerDigest, statement, signature] = readFields(
    bytes,
    (at) => [at.bytes(32), at.bytes(), at.bytes()] as const,
  );
  const signer = reading.signers.find(({ leafDigest }) => leafDigest.equals(signerDigest));
  demand(signer?.name === reading.from && signer.role === "site", MISMATCH, "another signer"); // [W-137]
  const read = readFields(statement, (at) => ({
    version: at.integer(1, 1),
    algorithm: at.integer(3, 1),
    project: at.text(),
    job: at.bytes(16),
    round: at.integer(0xffff_ffff),
    from: at.text(),
    streamId: at.bytes(16),
    issuedAt: at.integer(),
    recipients: at.list((list) => {
      const pair = list.inner();
      return [pair.text(), pair.bytes(16).toString("hex")] as const;
    }),
    chunkBytes: at.integer(),
    totalBytes: at.integer(),
    plaintextRoot: at.bytes(32),
    exampleCount: at.integer(),
    rest: at.rest(),
  }));
  const isSigners = isSigned(signer.key, read.algorithm, signature, labelled("sealed", statement));
  demand(isSigners, 4017, "not signed by its sender"); // [W-138]
  const isContext =
    read.project === reading.project && read.from === reading.from && read.round === reading.round;
  const count = Math.ceil(stream.totalBytes / stream.chunkBytes);
  const isSize =
    read.chunkBytes === stream.chunkBytes - 16 && read.totalBytes === stream.totalBytes - 16 * count;
  const isThis = read.job.equals(reading.job) && read.streamId.equals(stream.streamId);
  demand(isContext && isSize && isThis, MISMATCH, "a statement of something else"); // [W-139]
  const expected = keys.map(({ to, packageId }) => [to, packageId.toString("hex")]);
  demand(JSON.stringify(read.recipients) === JSON.stringify(expected), MISMATCH, "other recipients"); // [W-140]
  return read;
}
