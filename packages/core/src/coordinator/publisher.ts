import type { Bytes } from "../bytes/index.ts";
import { type DecomposerRegistry, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_OBJECT_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import type { JobRecord, StoredBlob } from "../job/index.ts";
import { type BlobReference, OBJECT_TYPES, type Publication } from "../message/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import type { JobModules } from "./job-context.ts";

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
  /** Certificates of who signed it, leaf first: those of an earlier certificate of this server where that was renewed. */
  readonly signerChain: readonly Bytes[];
}

/** Who publishes. */
export type PublisherOptions = Pick<JobModules, "ownIdentity">;

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
  { ownIdentity }: PublisherOptions,
  modules: PublisherModules,
): Promise<PublishedBlob> {
  const { blob, ...facts } = options;
  const { clock, crypto, registry } = modules;
  const identity = ownIdentity();
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
  return {
    blob,
    reference: { root: blob.description.root, key: blob.key },
    object,
    signerChain: identity.participant.chain,
  };
}

/** Makes the graph of a job readable. */
export async function publishGraph(
  { jobId, graph }: Pick<JobRecord, "jobId" | "graph">,
  modules: PublisherModules & PublisherOptions & Pick<JobModules, "checkpoints">,
): Promise<PublishedBlob> {
  const blob = await modules.checkpoints.published(graph);
  return await publish({ jobId, kind: "graph", version: 0, blob, tensors: [] }, modules, modules);
}

/** True while what is out was signed by the certificate that counts: one that is renewed signs what goes out from then on. */
export function isSignedBy({ signerChain }: PublishedBlob, { ownIdentity }: PublisherOptions): boolean {
  return signerChain === ownIdentity().participant.chain;
}
