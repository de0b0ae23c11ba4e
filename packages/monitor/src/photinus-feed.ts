import type { ObservationSource } from "@photinus/core/message/observation";
import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { FEED_REQUEST, FeedRequest } from "./feed-request.ts";
import { JobController } from "./job-controller.ts";
import type { JobFeed } from "./job-feed.ts";

/**
 * `<photinus-feed>`: one connection for all the elements inside it. It takes the same attributes as they do and
 * shows nothing of its own.
 */
export class PhotinusFeed extends LitElement {
  static override properties: PropertyDeclarations = {
    server: { type: String },
    job: { type: String },
    token: { type: String },
    source: { attribute: false },
  };

  /** Of the shadow root. */
  static override styles: CSSResultGroup = css`
    :host {
      display: contents;
    }
  `;

  /** Base address of the server; empty for the origin of the page. */
  declare server: string;
  /** Job id. */
  declare job: string;
  /** Read-only token of the job. */
  declare token: string;
  /** Where to read from instead of a server. */
  declare source: ObservationSource | undefined;

  readonly #controller: JobController = new JobController(this);

  constructor() {
    super();
    this.server = "";
    this.job = "";
    this.token = "";
    this.source = undefined;
    this.addEventListener(FEED_REQUEST, (event) => this.#onRequest(event));
  }

  /** The feed that the elements inside share; always the same object. */
  get feed(): JobFeed {
    return this.#controller.ownFeed;
  }

  override connectedCallback(): void {
    this.#choose();
    super.connectedCallback();
  }

  protected override willUpdate(): void {
    this.#choose();
  }

  protected override render(): TemplateResult {
    return html`<slot></slot>`;
  }

  #choose(): void {
    const { server, job, token, source } = this;
    this.#controller.choose({ server, job, token, source });
  }

  #onRequest(event: Event): void {
    // Its own request is not for itself, and goes no further: an element without a job shows the empty state.
    event.stopPropagation();
    if (event instanceof FeedRequest && event.target !== this) event.answer(this.feed);
  }
}
