import type { Bytes } from "../bytes/index.ts";
import { type DecomposerRegistry, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_OBJECT_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import { type BlobReference, OBJECT_TYPES, type Publication } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { bytesSource, type SealedBlob, sealBlob } from "../stream/index.ts";

/** What is made public to the sites of a job. */
export interface PublishOptions
  extends Pick<Publication, "jobId" | "kind" | "version" | "chunkBytes" | "tensors"> {
  /** Plaintext; read, not kept. */
  readonly bytes: Bytes;
}

/** A sealed blob, its key and what the server signed of it. */
export interface PublishedBlob {
  readonly blob: SealedBlob;
  /** Travels only inside sessions. */
  readonly reference: BlobReference;
  /** The publication OBJECT: the same bytes to every site. */
  readonly object: Bytes;
  /** Bytes of the ciphertext. */
  readonly wireBytes: number;
}

/** Who publishes. */
export interface PublisherOptions {
  readonly project: string;
  readonly identity: Identity;
}

/** What {@link publish} works with. */
export interface PublisherModules {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly registry: DecomposerRegistry;
}

/**
 * Makes something readable for many sites: one encryption, one hash pass and one signature, however many read it
 * (protocol section 5). The key stays out of the publication; each site's task carries it.
 */
export async function publish(
  options: PublishOptions,
  { project, identity }: PublisherOptions,
  modules: PublisherModules,
): Promise<PublishedBlob> {
  const { bytes, ...facts } = options;
  const { clock, crypto, registry } = modules;
  const sealOptions = { project, totalBytes: bytes.byteLength, chunkBytes: facts.chunkBytes };
  const { blob, key } = await sealBlob(bytesSource(bytes), sealOptions, { crypto, clock });
  const { root, blobId, totalBytes, leaves } = blob;
  const publication: Publication = { ...facts, root, blobId, totalBytes, leaves };
  const object = await sealObject(
    {
      objectType: OBJECT_TYPES.publication,
      audience: AUDIENCE_ALL,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: MAX_OBJECT_LIFETIME_MS,
      scope: facts.jobId,
      payload: encode(publication, registry),
    },
    { identity, crypto },
  );
  const wireBytes = blob.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return { blob, reference: { root, key }, object, wireBytes };
}
