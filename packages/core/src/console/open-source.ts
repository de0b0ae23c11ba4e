import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { builtInRegistry, decode } from "../decomposer/index.ts";
import { ChainDirectory, identifyObject, openObjectEvidence } from "../envelope/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import { type CloneSource, parseJobPayload } from "../job/index.ts";
import { type JobSource, OBJECT_TYPES, USER_ROLES } from "../message/index.ts";
import type { RevocationSource } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";

/** What {@link openSource} works with. */
export interface OpenSourceModules {
  /** Name of the project. */
  readonly project: string;
  /** Root of the project, DER. */
  readonly root: Bytes;
  /** Who is revoked. */
  readonly revocations: RevocationSource;
  /** Verifies. */
  readonly crypto: CryptoProvider;
  /** Time at which the submitter's certificate has to count. */
  readonly clock: Pick<Clock, "now">;
}

/**
 * What a server tells of a job is believed as far as its submitter signed it: whoever clones a job signs it himself, and a
 * server must not choose what. When the job was signed does not matter, only that its signer still counts.
 *
 * @param jobId the job that was asked for
 * @throws EnvelopeError `ERR_ENVELOPE_SIGNATURE_INVALID`, `ERR_ENVELOPE_WRONG_RECIPIENT`, `ERR_DIGEST_MISMATCH`; PkiError;
 *   DecomposerError `ERR_DECODE_REFUSED`; JobError `ERR_JOB_INVALID`
 */
export async function openSource(
  jobId: string,
  { object, chain }: JobSource,
  modules: OpenSourceModules,
): Promise<CloneSource> {
  const { project, root, revocations: revocation, crypto, clock } = modules;
  // [W-195]
  const { objectId, signer } = identifyObject(object);
  if (toHex(objectId) !== jobId) throw other();
  const chains = new ChainDirectory({ project, root }, { crypto, revocation });
  const { participant, verifyingKey } = await chains.add(chain, clock.now());
  if (!equalBytes(participant.leafDigest, signer) || !USER_ROLES.includes(participant.role)) throw unsigned();
  const evidence = await openObjectEvidence(object, verifyingKey, crypto);
  if (evidence === undefined) throw unsigned();
  if (evidence.project !== project || evidence.objectType !== OBJECT_TYPES.job) throw other();
  return { jobId, payload: parseJobPayload(decode(evidence.payload, builtInRegistry())) };
}

const unsigned = (): EnvelopeError =>
  new EnvelopeError("ERR_ENVELOPE_SIGNATURE_INVALID", "the job is not signed by its submitter");

const other = (): EnvelopeError =>
  new EnvelopeError("ERR_ENVELOPE_WRONG_RECIPIENT", "the server told of something else than the job");
