import type { ObservationSource } from "@photinus/core/message/observation";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { FeedRequest } from "./feed-request.ts";
import { type FeedStatus, JobFeed } from "./job-feed.ts";
import { sseObservations } from "./sse-observations.ts";

/** A job tells more than people can see: an element is drawn at most once in this time, ms. */
const DRAW_MS = 250;

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
  #drawnStatus: FeedStatus | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  /** The next drawing, when it is put off. */
  #putOff: ReturnType<typeof setTimeout> | undefined;

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
    clearTimeout(this.#putOff);
    this.#putOff = undefined;
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
    this.#unsubscribe = feed.subscribe(() => this.#changed());
    this.#host.requestUpdate();
  }

  /** Draws another status at once, and so the first change after a while; what comes close behind is drawn together. */
  #changed(): void {
    const isNewStatus = this.#feed.status !== this.#drawnStatus;
    const waitMs = this.#drawnMs + DRAW_MS - performance.now();
    if (isNewStatus || waitMs <= 0) this.#draw();
    else this.#putOff ??= setTimeout(() => this.#draw(), waitMs);
  }

  #draw(): void {
    clearTimeout(this.#putOff);
    this.#putOff = undefined;
    this.#drawnStatus = this.#feed.status;
    this.#drawnMs = performance.now();
    this.#host.requestUpdate();
  }
}
