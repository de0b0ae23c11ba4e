import { type Bytes, toHex } from "../bytes/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import type { BlobReference, HeldBlob, Publication } from "../message/index.ts";
import { type Clock, type CryptoProvider, sleep } from "../platform/index.ts";
import { type BlobChunk, BlobOpener, chunkCount, chunkLength, ciphertextPlan } from "../stream/index.ts";

/** Blobs that are remembered: the graph and the last model versions of a few jobs. */
const REMEMBERED = 32;
/** A blob of which nothing arrives for this long is asked for again. */
const PATIENCE_MS = 20_000;

/** What a {@link BlobInbox} works with. */
export interface BlobInboxModules {
  /** Name of the project. */
  readonly project: string;
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Asks the server for a blob again. */
  readonly request: (jobId: string, root: Bytes) => void;
}

/** A blob that was opened. */
export interface OpenedBlob {
  /** What was published. */
  readonly publication: Publication;
  /** Plaintext. */
  readonly bytes: Bytes;
}

/** One blob on its way. */
interface Arrival {
  publication: Publication | undefined;
  /** Chunks that came before the key did, by index; never more than the blob. */
  early: Map<number, BlobChunk>;
  opener: BlobOpener | undefined;
  /** True when its chunks were used up in this session: the server will not send them again unasked. */
  isUsedUp: boolean;
  lastChunkMs: number;
  /** Called when the publication came. */
  readonly onPublished: Set<() => void>;
  onComplete: () => void;
  onUnreadable: (error: unknown) => void;
}

/** Puts sealed blobs together: what the server published, the chunks it sends, and the key that a task carries. */
export class BlobInbox {
  readonly #modules: BlobInboxModules;
  readonly #arrivals = new Map<string, Arrival>();

  constructor(modules: BlobInboxModules) {
    this.#modules = modules;
  }

  /** Blobs of which chunks were verified and more are waited for: RESUME names them, so that only the others come. */
  held(): readonly HeldBlob[] {
    return [...this.#arrivals.values()].flatMap(({ publication, opener }) =>
      publication === undefined || opener === undefined || opener.received.count === 0
        ? []
        : [{ root: publication.root, received: opener.received.bitmap() }],
    );
  }

  /** A new session began: what is still needed and was not verified is sent again. */
  renew(): void {
    for (const arrival of this.#arrivals.values()) {
      arrival.isUsedUp = false;
      arrival.early.clear();
    }
  }

  /** The server published a blob; its signature and its limits have been checked. */
  published(publication: Publication): void {
    const arrival = this.#arrival(publication.root);
    arrival.publication ??= publication;
    for (const wake of [...arrival.onPublished]) wake();
  }

  /** A chunk arrived; one of a blob that was not published is dropped. */
  async chunk(chunk: BlobChunk): Promise<void> {
    const arrival = this.#arrivals.get(toHex(chunk.root));
    if (arrival?.publication === undefined) return;
    arrival.lastChunkMs = this.#modules.clock.now();
    if (arrival.opener !== undefined) {
      await takeChunk(arrival, arrival.opener, chunk);
      return;
    }
    if (!arrival.isUsedUp && canBeEarly(arrival, arrival.publication, chunk)) {
      arrival.early.set(chunk.index, { ...chunk, ciphertext: Uint8Array.from(chunk.ciphertext) });
    }
  }

  /**
   * The plaintext of a published blob, once all of it is there.
   * @throws the signal's reason; EnvelopeError `ERR_BLOB_UNREADABLE` when key and blob do not belong together
   */
  async open(jobId: string, { root, key }: BlobReference, signal: AbortSignal): Promise<OpenedBlob> {
    const arrival = this.#arrival(root);
    const wait: Wait = { jobId, root, arrival, signal };
    if (arrival.isUsedUp) this.#modules.request(jobId, root);
    arrival.isUsedUp = false;
    const publication = await this.#patiently(publicationOf(arrival), wait);
    if (publication.jobId !== jobId) {
      throw new EnvelopeError("ERR_BLOB_UNREADABLE", "the blob was published for another job");
    }
    const bytes = new Uint8Array(publication.totalBytes);
    const complete = new Promise<void>((resolve, reject) => {
      arrival.onComplete = resolve;
      arrival.onUnreadable = reject;
    });
    try {
      await this.#patiently(Promise.all([complete, this.#begin(arrival, publication, { key, bytes })]), wait);
    } finally {
      arrival.opener = undefined;
      arrival.isUsedUp = true;
    }
    return { publication, bytes };
  }

  async #begin(arrival: Arrival, description: Publication, { key, bytes }: Target): Promise<void> {
    const { project, crypto } = this.#modules;
    const sink = { write: (offset: number, data: Bytes): void => bytes.set(data, offset) };
    const opener = await BlobOpener.create({ description, key, project, sink }, { crypto });
    arrival.opener = opener;
    const { early } = arrival;
    arrival.early = new Map();
    for (const chunk of early.values()) await takeChunk(arrival, opener, chunk);
  }

  /** Waits for `work` and asks for the blob again whenever nothing came for a while. */
  async #patiently<T>(work: Promise<T>, wait: Wait): Promise<T> {
    const stop = new AbortController();
    const asking = this.#askAgain(wait, AbortSignal.any([wait.signal, stop.signal]));
    try {
      return await Promise.race([work, asking]);
    } finally {
      stop.abort();
      work.catch(() => undefined); // after an abort nobody waits for it
    }
  }

  async #askAgain({ jobId, root, arrival }: Wait, signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(this.#modules.clock, PATIENCE_MS, signal);
      const quietMs = this.#modules.clock.now() - arrival.lastChunkMs;
      if (quietMs >= PATIENCE_MS) this.#modules.request(jobId, root);
    }
  }

  #arrival(root: Bytes): Arrival {
    const name = toHex(root);
    const known = this.#arrivals.get(name);
    if (known !== undefined) return known;
    const arrival = newArrival(this.#modules.clock.now());
    this.#arrivals.set(name, arrival);
    const [oldest] = this.#arrivals.keys();
    if (this.#arrivals.size > REMEMBERED && oldest !== undefined) this.#arrivals.delete(oldest);
    return arrival;
  }
}

/** Chunks travel outside the session: what waits for its key is no more than the blob, each piece of its length once. */
function canBeEarly({ early }: Arrival, publication: Publication, { index, ciphertext }: BlobChunk): boolean {
  const plan = ciphertextPlan(publication);
  return index < chunkCount(plan) && ciphertext.byteLength === chunkLength(plan, index) && !early.has(index);
}

interface Wait {
  readonly jobId: string;
  readonly root: Bytes;
  readonly arrival: Arrival;
  readonly signal: AbortSignal;
}

interface Target {
  readonly key: Bytes;
  readonly bytes: Bytes;
}

const nothing = (): void => undefined;

function newArrival(nowMs: number): Arrival {
  return {
    publication: undefined,
    early: new Map(),
    opener: undefined,
    isUsedUp: false,
    lastChunkMs: nowMs,
    onPublished: new Set(),
    onComplete: nothing,
    onUnreadable: nothing,
  };
}

function publicationOf(arrival: Arrival): Promise<Publication> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (arrival.publication === undefined) return;
      arrival.onPublished.delete(check);
      resolve(arrival.publication);
    };
    arrival.onPublished.add(check);
    check();
  });
}

async function takeChunk(arrival: Arrival, opener: BlobOpener, chunk: BlobChunk): Promise<void> {
  try {
    await opener.accept(chunk);
    if (opener.complete) arrival.onComplete();
  } catch (error) {
    // An altered chunk is dropped and asked for again later; a wrong key will not get better.
    if (!(error instanceof EnvelopeError)) throw error;
    if (error.code === "ERR_BLOB_UNREADABLE") arrival.onUnreadable(error);
  }
}
