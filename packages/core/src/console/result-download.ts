import { equalBytes } from "../bytes/index.ts";
import {
  type BlobReference,
  type HeldBlob,
  type ResultModel,
  resultModel,
  resultRequest,
} from "../message/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { RequestError, type Requests, type Session } from "../session/index.ts";
import { BlobInbox, type OpenedBlob } from "../site/index.ts";
import { unpackParameters } from "../tensor/index.ts";
import { orAborted } from "./link.ts";
import type { JobResult } from "./options.ts";

/** What a {@link ResultDownload} works with. */
export interface ResultDownloadModules {
  /** Name of the project. */
  readonly project: string;
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Requests that wait for their replies. */
  readonly requests: Requests;
}

/** A version on its way. */
interface Coming {
  readonly told: ResultModel;
  readonly opened: Promise<OpenedBlob>;
  readonly stop: AbortController;
}

/**
 * The newest model of a job on its way to a user, over as many sessions as it takes. Its chunks travel beside the
 * session, where a line may alter or lose them unnoticed: when nothing comes for a while the rest is asked for again.
 */
export class ResultDownload {
  readonly #jobId: string;
  readonly #requests: Requests;
  /** Where publication and chunks arrive. */
  readonly inbox: BlobInbox;
  #coming: Coming | undefined;
  #fellQuiet = (): void => undefined;

  constructor(jobId: string, { requests, ...modules }: ResultDownloadModules) {
    this.#jobId = jobId;
    this.#requests = requests;
    this.inbox = new BlobInbox({ ...modules, request: () => this.#fellQuiet() });
  }

  /**
   * Goes on over a session.
   * @throws RequestError; WireError when the session ends first; the signal's reason; EnvelopeError `ERR_BLOB_UNREADABLE`
   */
  async over(session: Session, signal: AbortSignal): Promise<JobResult> {
    this.inbox.renew();
    for (;;) {
      const quiet = new Promise<undefined>((resolve) => {
        this.#fellQuiet = () => resolve(undefined);
      });
      const { told, opened } = await this.#ask(signal);
      const ends = AbortSignal.any([session.signal, signal]);
      const done = await orAborted(Promise.race([opened, quiet]), ends);
      if (done === undefined) continue;
      const { version, tensors } = told;
      return { version, model: unpackParameters({ tensors, byteLength: done.bytes.byteLength }, done.bytes) };
    }
  }

  /** Nobody waits for it any more. Idempotent. */
  stop(): void {
    this.#coming?.stop.abort();
  }

  async #ask(signal: AbortSignal): Promise<Coming> {
    const known = this.#coming;
    const held = known && this.#heldOf(known.told.model);
    const body = { jobId: this.#jobId, ...(held === undefined ? {} : { held }) };
    let told: ResultModel;
    try {
      told = resultModel.parse(await this.#requests.ask(resultRequest, body, signal));
    } catch (error) {
      // What was asked for in this session before is on its way still, over a slow line.
      if (known !== undefined && error instanceof RequestError && error.code === "ERR_BUSY") return known;
      throw error;
    }
    if (known !== undefined && equalBytes(known.told.model.root, told.model.root)) return known;
    known?.stop.abort(); // a newer version was made meanwhile
    const stop = new AbortController();
    const opened = this.inbox.open(this.#jobId, told.model, stop.signal);
    opened.catch(() => undefined); // who waits for it hears of it
    this.#coming = { told, opened, stop };
    return this.#coming;
  }

  #heldOf({ root }: BlobReference): HeldBlob | undefined {
    return this.inbox.held().find((held) => equalBytes(held.root, root));
  }
}
