import type { JobView, SiteView } from "@photinus/core/message/observation";
import {
  type CSSResultGroup,
  css,
  html,
  nothing,
  type PropertyDeclarations,
  svg,
  type TemplateResult,
} from "lit";
import { repeat } from "lit/directives/repeat.js";
import { formatBytes, formatCount, formatPercent } from "./format.ts";
import { glyph } from "./glyph.ts";
import { inOrderOfAttention, labelOf, toneOf } from "./phase.ts";
import { PhotinusElement, remedyOf } from "./photinus-element.ts";

/** Sites shown before somebody asks for all. */
const SHOWN_AT_FIRST = 50;

/** `<photinus-sites>`: who takes part and what each is doing. */
export class PhotinusSites extends PhotinusElement {
  static override properties: PropertyDeclarations = {
    ...PhotinusElement.properties,
    showAll: { state: true },
  };

  /** Of the shadow root. */
  static override styles: CSSResultGroup = [
    PhotinusElement.styles,
    css`
      .card {
        height: 100%;
      }
      header {
        margin-bottom: 4px;
      }
      li {
        display: grid;
        grid-template-columns: 12px minmax(0, 1fr) auto;
        align-items: baseline;
        gap: 2px 12px;
        padding: 12px 0;
        border-top: 1px solid var(--_line);
      }
      li:first-child {
        border-top: 0;
      }
      .glyph {
        align-self: center;
      }
      .name {
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .phase {
        text-align: right;
        font-size: 13px;
        white-space: nowrap;
      }
      .about,
      .cause,
      .bar {
        grid-column: 2 / -1;
      }
      .about {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        gap: 0 16px;
      }
      .cause {
        color: var(--_muted);
        overflow-wrap: anywhere;
      }
      .scroll {
        max-height: var(--photinus-sites-height, none);
        margin: 0 calc(-1 * var(--_padding)) calc(-1 * var(--_padding));
        padding: 0 var(--_padding) calc(var(--_padding) - 8px);
        scrollbar-width: thin;
      }
      .bar {
        display: block;
        width: 100%;
        height: 2px;
        margin-top: 4px;
        fill: var(--_line);
      }
      .bar .done {
        fill: var(--_glow);
      }
    `,
  ];

  /** True when every site is listed. */
  declare showAll: boolean;

  constructor() {
    super();
    this.showAll = false;
  }

  protected override get label(): string {
    return "Sites";
  }

  protected override renderJob({ sites }: JobView): TemplateResult {
    const shown = inOrderOfAttention(sites).slice(0, this.showAll ? undefined : SHOWN_AT_FIRST);
    const accepted = sites.reduce((sum, site) => sum + site.accepted, 0);
    return html`
      <header part="header">
        <h2 part="title">Sites</h2>
        <span class="muted push">${formatCount(accepted)} contributions accepted</span>
      </header>
      ${sites.length === 0 ? html`<p class="muted">No site has joined yet.</p>` : nothing}
      <div class="scroll" tabindex="0" role="region" aria-label="List of sites">
        <ul part="list">
          ${repeat(shown, ({ name }) => name, renderSite)}
        </ul>
        ${
          shown.length < sites.length
            ? html`<button @click=${() => this.#expand()}>Show all ${formatCount(sites.length)}</button>`
            : nothing
        }
      </div>
    `;
  }

  #expand(): void {
    this.showAll = true;
  }
}

function renderSite(site: SiteView): TemplateResult {
  const tone = toneOf(site.phase);
  const kind = [site.org, site.runtime === "browser" ? "browser" : site.runtime, site.device].filter(
    (word) => word !== "",
  );
  return html`<li part="site">
    ${glyph(tone)}
    <span class="name">${site.name}</span>
    <span class="phase">${labelOf(site.phase)}${renderPercent(site)}</span>
    <small class="about">
      <span>${kind.join(" · ")}</span>
      <span>${describeWork(site)}</span>
    </small>
    ${site.cause === "" ? nothing : html`<code class="cause" title=${remedyOf(site.cause)}>${site.cause}</code>`}
    ${(site.detail ?? "") === "" ? nothing : html`<small class="cause">${site.detail}</small>`}
    ${tone === "active" ? renderProgress(site.progress) : nothing}
  </li>`;
}

function renderPercent({ phase, progress }: SiteView): string {
  return toneOf(phase) === "active" && progress > 0 ? ` ${formatPercent(progress).replace(/\.\d/, "")}` : "";
}

function describeWork({ trainingExamples, accepted, bytesUp }: SiteView): string {
  if (accepted === 0) return trainingExamples === 0 ? "" : `${formatCount(trainingExamples)} examples`;
  return `${formatCount(trainingExamples)} examples · ${formatCount(accepted)} accepted · ${formatBytes(bytesUp)} up`;
}

function renderProgress(progress: number): TemplateResult {
  return html`<svg class="bar" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
    <rect width="1" height="1" />
    ${svg`<rect class="done" width=${Math.min(1, Math.max(0, progress))} height="1"/>`}
  </svg>`;
}
