import type { Bytes } from "../bytes/index.ts";
import { type DecomposerRegistry, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_OBJECT_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import type { StoredBlob } from "../job/index.ts";
import { type BlobReference, OBJECT_TYPES, type Publication } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";

/** What is made public to the sites of a job. */
export interface PublishOptions extends Pick<Publication, "jobId" | "kind" | "version" | "tensors"> {
  /** Sealed when it was stored. */
  readonly blob: StoredBlob;
}

/** A sealed blob, its key and what the server signed of it. */
export interface PublishedBlob {
  readonly blob: StoredBlob;
  /** Travels only inside sessions. */
  readonly reference: BlobReference;
  /** The publication OBJECT: the same bytes to every site. */
  readonly object: Bytes;
}

/** Who publishes. */
export interface PublisherOptions {
  readonly identity: Identity;
}

/** What {@link publish} works with. */
export interface PublisherModules {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly registry: DecomposerRegistry;
}

/**
 * Makes something readable for many sites: one signature, however many read it, over the ciphertext as it lies in storage
 * (protocol section 5). The key stays out of the publication; each site's task carries it.
 */
export async function publish(
  options: PublishOptions,
  { identity }: PublisherOptions,
  modules: PublisherModules,
): Promise<PublishedBlob> {
  const { blob, ...facts } = options;
  const { clock, crypto, registry } = modules;
  const publication: Publication = { ...facts, ...blob.description };
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
  return { blob, reference: { root: blob.description.root, key: blob.key }, object };
}
