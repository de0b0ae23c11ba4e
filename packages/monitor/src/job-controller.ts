import type { ObservationSource } from "@photinus/core/message/observation";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { FeedRequest } from "./feed-request.ts";
import { JobFeed } from "./job-feed.ts";
import { sseObservations } from "./sse-observations.ts";

/** What an element was told to observe. */
export interface FeedChoice {
  /** Base address of the server; empty for the origin of the page. */
  readonly server: string;
  /** Job id; empty when `source` or a surrounding feed is used. */
  readonly job: string;
  /** Read-only token of the job. */
  readonly token: string;
  /** Used in place of the server when given. */
  readonly source: ObservationSource | undefined;
}

/** Ties an element to a feed: its own, or that of the `<photinus-feed>` around it. */
export class JobController implements ReactiveController {
  readonly #host: ReactiveControllerHost & EventTarget;
  readonly #own: JobFeed = new JobFeed();
  #choice: FeedChoice = { server: "", job: "", token: "", source: undefined };
  #feed: JobFeed = this.#own;
  #unsubscribe: (() => void) | undefined;
  #isConnected = false;

  constructor(host: ReactiveControllerHost & EventTarget) {
    this.#host = host;
    host.addController(this);
  }

  /** The feed in use. */
  get feed(): JobFeed {
    return this.#feed;
  }

  /** The feed that this controller starts itself; always the same. */
  get ownFeed(): JobFeed {
    return this.#own;
  }

  /** Observes `choice` from now on, unless it is what is observed already. */
  choose(choice: FeedChoice): void {
    const { server, job, token, source } = this.#choice;
    const isSame =
      choice.server === server && choice.job === job && choice.token === token && choice.source === source;
    this.#choice = choice;
    if (this.#isConnected && !isSame) this.#connect();
  }

  hostConnected(): void {
    this.#isConnected = true;
    this.#connect();
  }

  hostDisconnected(): void {
    this.#isConnected = false;
    this.#unsubscribe?.();
    this.#own.stop();
  }

  #connect(): void {
    const { source, server, job, token } = this.#choice;
    this.#own.stop();
    this.#use(this.#own);
    if (source !== undefined) this.#own.start(source);
    else if (job === "") this.#host.dispatchEvent(new FeedRequest((feed) => this.#use(feed)));
    else {
      const onConnection = this.#own.connection.bind(this.#own);
      this.#own.start(sseObservations({ server, job, token, onConnection }));
    }
  }

  #use(feed: JobFeed): void {
    this.#unsubscribe?.();
    this.#feed = feed;
    this.#unsubscribe = feed.subscribe(() => this.#host.requestUpdate());
    this.#host.requestUpdate();
  }
}
