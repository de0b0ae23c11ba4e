import { describeError, isErrorCode } from "@photinus/core/errors";
import type { JobView, ObservationSource } from "@photinus/core/message/observation";
import { type CSSResultGroup, html, LitElement, type PropertyDeclarations, type TemplateResult } from "lit";
import { glyph } from "./glyph.ts";
import { JobController } from "./job-controller.ts";
import type { FeedFault } from "./job-feed.ts";
import { theme } from "./theme.css.ts";

/**
 * What every element that shows a job has in common: where it reads from, and what it shows while there is nothing
 * to show. Subclasses render a {@link JobView}.
 *
 * Slots `loading`, `empty`, `error` replace the texts of those states. Fires `photinus-update` after each change.
 */
export abstract class PhotinusElement extends LitElement {
  static override properties: PropertyDeclarations = {
    server: { type: String },
    job: { type: String },
    token: { type: String },
    source: { attribute: false },
  };

  /** Of the shadow root. */
  static override styles: CSSResultGroup = theme;

  /** Base address of the server; empty for the origin of the page. */
  declare server: string;
  /** Job id; empty to use `source` or the `<photinus-feed>` around the element. */
  declare job: string;
  /** Read-only token of the job. It is readable in the page: scope it to one job. */
  declare token: string;
  /** Where to read from instead of a server. */
  declare source: ObservationSource | undefined;

  /** The feed of this element. */
  protected readonly controller: JobController = new JobController(this);

  constructor() {
    super();
    this.server = "";
    this.job = "";
    this.token = "";
    this.source = undefined;
  }

  override connectedCallback(): void {
    this.#choose();
    super.connectedCallback();
  }

  protected override willUpdate(): void {
    this.#choose();
  }

  protected override updated(): void {
    const { job } = this.controller.feed;
    if (job !== undefined) {
      this.dispatchEvent(
        new CustomEvent<JobView>("photinus-update", { detail: job, bubbles: true, composed: true }),
      );
    }
  }

  protected override render(): TemplateResult {
    const { job, status, fault } = this.controller.feed;
    if (job === undefined)
      return html`<section class="card" part="card">${renderState(status, fault)}</section>`;
    return html`<section class="card" part="card" aria-label=${this.label}>${this.renderJob(job)}</section>`;
  }

  /** What the element shows, for those who do not see it. */
  protected abstract get label(): string;

  /** The element's own content. */
  protected abstract renderJob(job: JobView): TemplateResult;

  #choose(): void {
    const { server, job, token, source } = this;
    this.controller.choose({ server, job, token, source });
  }
}

function renderState(status: string, fault: FeedFault | undefined): TemplateResult {
  if (fault !== undefined) return renderFault(fault);
  if (status === "empty" || status === "ended") {
    return html`<slot name="empty"><div class="state">${glyph("gone")}<p>No job to show yet.</p></div></slot>`;
  }
  return html`<slot name="loading"><div class="state" role="status">${glyph("active")}<p>Waiting for the server</p></div></slot>`;
}

function renderFault({ code, message }: FeedFault): TemplateResult {
  return html`<slot name="error"
    ><div class="state" role="alert">
      ${glyph("refused")}
      <p><strong>${message}.</strong> ${remedyOf(code)} <code>${code}</code></p>
    </div></slot
  >`;
}

/** What a person does about a cause code; empty for a code that this version does not know. */
export function remedyOf(code: string): string {
  return isErrorCode(code) ? describeError(code).remedy : "";
}
