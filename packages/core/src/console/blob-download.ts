import { type Bytes, equalBytes } from "../bytes/index.ts";
import {
  type BlobReference,
  graphRequest,
  type HeldBlob,
  jobGraph,
  type MessageDefinition,
  type ResultRequest,
  resultModel,
  resultRequest,
} from "../message/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { RequestError, type Requests, type Session } from "../session/index.ts";
import { BlobInbox, type OpenedBlob } from "../site/index.ts";
import { unpackParameters } from "../tensor/index.ts";
import { orAborted } from "./link.ts";
import type { JobResult } from "./options.ts";

/** What is wanted of a job, and what the server tells of it. */
export interface Wanted<Result> {
  /** Asks for it. */
  readonly request: MessageDefinition<ResultRequest>;
  /** Of the model; absent: the newest. */
  readonly version?: ResultRequest["version"];
  /** What the server answered. @throws MessageError */
  readonly told: (reply: unknown) => Told<Result>;
}

interface Told<Result> {
  /** Opens the blob. */
  readonly reference: BlobReference;
  /** What its bytes are. */
  readonly finish: (bytes: Bytes) => Result;
}

/** The newest model of a job. */
export const RESULT: Wanted<JobResult> = {
  request: resultRequest,
  told(reply) {
    const { version, model, tensors } = resultModel.parse(reply);
    const finish = (bytes: Bytes): JobResult => ({
      version,
      model: unpackParameters({ tensors, byteLength: bytes.byteLength }, bytes),
    });
    return { reference: model, finish };
  },
};

/** The graph that a job was submitted with. */
export const GRAPH: Wanted<Bytes> = {
  request: graphRequest,
  told: (reply) => ({ reference: jobGraph.parse(reply).graph, finish: (bytes) => bytes }),
};

/** What a {@link BlobDownload} works with. */
export interface BlobDownloadModules {
  /** Name of the project. */
  readonly project: string;
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Requests that wait for their replies. */
  readonly requests: Requests;
}

/** A blob on its way. */
interface Coming<Result> {
  readonly told: Told<Result>;
  readonly opened: Promise<OpenedBlob>;
  readonly stop: AbortController;
}

/**
 * Something of a job on its way to a user, over as many sessions as it takes. Its chunks travel beside the
 * session, where a line may alter or lose them unnoticed: when nothing comes for a while the rest is asked for again.
 */
export class BlobDownload<Result> {
  readonly #jobId: string;
  readonly #wanted: Wanted<Result>;
  readonly #requests: Requests;
  /** Where publication and chunks arrive. */
  readonly inbox: BlobInbox;
  #coming: Coming<Result> | undefined;
  #fellQuiet = (): void => undefined;

  constructor(jobId: string, wanted: Wanted<Result>, { requests, ...modules }: BlobDownloadModules) {
    this.#jobId = jobId;
    this.#wanted = wanted;
    this.#requests = requests;
    this.inbox = new BlobInbox({ ...modules, request: () => this.#fellQuiet() });
  }

  /**
   * Goes on over a session.
   * @throws RequestError; WireError when the session ends first; the signal's reason; EnvelopeError `ERR_BLOB_UNREADABLE`
   */
  async over(session: Session, signal: AbortSignal): Promise<Result> {
    this.inbox.renew();
    for (;;) {
      const quiet = new Promise<undefined>((resolve) => {
        this.#fellQuiet = () => resolve(undefined);
      });
      const { told, opened } = await this.#ask(signal);
      const ends = AbortSignal.any([session.signal, signal]);
      const done = await orAborted(Promise.race([opened, quiet]), ends);
      if (done !== undefined) return told.finish(done.bytes);
    }
  }

  /** Nobody waits for it any more. Idempotent. */
  stop(): void {
    this.#coming?.stop.abort();
  }

  async #ask(signal: AbortSignal): Promise<Coming<Result>> {
    const known = this.#coming;
    const held = known && this.#heldOf(known.told.reference);
    const { version } = this.#wanted;
    const which = version === undefined ? {} : { version };
    const body = { jobId: this.#jobId, ...which, ...(held === undefined ? {} : { held }) };
    let told: Told<Result>;
    try {
      const { request } = this.#wanted;
      told = this.#wanted.told(await this.#requests.ask(request, body, signal));
    } catch (error) {
      // What was asked for in this session before is on its way still, over a slow line.
      if (known !== undefined && error instanceof RequestError && error.code === "ERR_BUSY") return known;
      throw error;
    }
    if (known !== undefined && equalBytes(known.told.reference.root, told.reference.root)) return known;
    known?.stop.abort(); // a newer version was made meanwhile
    const stop = new AbortController();
    const opened = this.inbox.open(this.#jobId, told.reference, stop.signal);
    opened.catch(() => undefined); // who waits for it hears of it
    this.#coming = { told, opened, stop };
    return this.#coming;
  }

  #heldOf({ root }: BlobReference): HeldBlob | undefined {
    return this.inbox.held().find((held) => equalBytes(held.root, root));
  }
}
