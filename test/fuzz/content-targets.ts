import { type Bytes, concatBytes, equalBytes, toHex } from "@photinus/core/bytes";
import { builtInRegistry, decode, encode } from "@photinus/core/decomposer";
import { parseJobPayload } from "@photinus/core/job";
import {
  parseAs,
  parseCertificateOrder,
  parseInviteOrder,
  parseInviteWithdrawal,
  parseJobAbortOrder,
  parsePublication,
  parseRequestDecision,
} from "@photinus/core/message";
import { type SealedManifest, sealedManifestSchema } from "@photinus/core/sealing";
import { checkManifest } from "@photinus/core/stream";
import { nodeCrypto } from "@photinus/node-platform";
import {
  readSignedStatement,
  readStatement,
  writeSignedStatement,
  writeStatement,
} from "../../packages/core/src/sealing/statement.ts";
import { smallJob } from "../federation/scripted-trainer.ts";
import { corpusOf } from "./corpus.ts";
import { type FuzzTarget, isTaken, requireSame } from "./engine.ts";
import { PUBLICATION, SEALED_MANIFEST } from "./vectors.ts";

const crypto = nodeCrypto();
const registry = builtInRegistry();

const { definition, parameters } = smallJob(3, 2);
const PART = { digest: new Uint8Array(32), byteLength: 64 };
const JOB = { definition, parameters, graph: PART, initialParameters: PART };

const OBJECT_PARSERS = {
  publication: parsePublication,
  job: parseJobPayload,
  "job-abort": parseJobAbortOrder,
  invite: parseInviteOrder,
  withdrawal: parseInviteWithdrawal,
  decision: parseRequestDecision,
  certificate: parseCertificateOrder,
};

/** Payloads of OBJECTs, by the schema of every type. */
export const objectContent: FuzzTarget = {
  name: "object-content",
  shape: "pack",
  seeds: [
    ...[
      PUBLICATION,
      JOB,
      { jobId: "0".repeat(32), reason: "enough" },
      { codeDigest: new Uint8Array(32), reason: "lost" },
      {
        codeDigest: new Uint8Array(32),
        org: "clinic",
        prefix: "guest",
        uses: 5,
        expiresAtMs: 1_782_864_000_000,
      },
    ].map((value) => encode(value, registry)),
    ...corpusOf("object-content"),
  ],
  read(bytes) {
    const value = decode(bytes, registry);
    const taken = Object.entries(OBJECT_PARSERS).filter(([, parse]) => isTaken(() => parse(value)));
    return taken.map(([name]) => name).join(" ");
  },
};

const STATEMENT: Bytes = writeStatement({
  algorithm: 1,
  context: { project: "vectors", job: PUBLICATION.jobId, round: 3, from: "site-1" },
  streamId: SEALED_MANIFEST.stream.streamId,
  issuedAt: 1_782_864_000_000,
  recipients: [{ to: "guest-1", packageId: SEALED_MANIFEST.keys[0].packageId }],
  chunkBytes: 65_520,
  totalBytes: 300,
  plaintextRoot: SEALED_MANIFEST.stream.root,
  exampleCount: 60,
  norm: 1.5,
  tensors: PUBLICATION.tensors,
});
const SIGNED_STATEMENT: Bytes = writeSignedStatement({
  signer: SEALED_MANIFEST.stream.root,
  statement: STATEMENT,
  signature: new Uint8Array(64),
});

/** What a reader of sealed content takes before and behind the first decryption; the first byte says which. */
export const sealedContent: FuzzTarget = {
  name: "sealed",
  shape: "pack",
  seeds: [
    ...[encode(SEALED_MANIFEST, registry), SIGNED_STATEMENT, STATEMENT].map((seed, kind) =>
      concatBytes(Uint8Array.of(kind), seed),
    ),
    ...corpusOf("sealed"),
  ],
  async read(bytes) {
    const kind = (bytes[0] ?? 0) % 3;
    const content = bytes.subarray(1);
    if (kind === 0) return await readOuter(content);
    if (kind === 1) {
      requireSame(writeSignedStatement(readSignedStatement(content)), content, "a signed statement");
      return "signed statement";
    }
    const { project, job, round, from, ...rest } = readStatement(content);
    const context = { project, job: toHex(job), round, from };
    requireSame(writeStatement({ context, ...rest }), content, "a statement");
    return "statement";
  },
};

async function readOuter(bytes: Bytes): Promise<string> {
  const { stream } = parseAs<SealedManifest>("sealed", sealedManifestSchema, decode(bytes, registry));
  await checkManifest(stream, 2 ** 32, crypto);
  return equalBytes(stream.root, SEALED_MANIFEST.stream.root) ? "manifest" : "another manifest";
}
