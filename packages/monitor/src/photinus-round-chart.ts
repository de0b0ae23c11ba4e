import type { JobView } from "@photinus/core/message/observation";
import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { type ChartPoint, chartPoints } from "./chart-data.ts";
import { renderPointTable } from "./chart-table.ts";
import { type CurveOptions, nearestPoint, renderCurves } from "./curve-chart.ts";
import { formatLossOr, formatPercentOr } from "./format.ts";
import { PhotinusElement } from "./photinus-element.ts";

/** `<photinus-round-chart>`: accuracy and loss of each model version on the sites' held-out examples. */
export class PhotinusRoundChart extends PhotinusElement {
  static override properties: PropertyDeclarations = {
    ...PhotinusElement.properties,
    isTable: { state: true },
    pointed: { state: true },
    size: { state: true },
  };

  /** Of the shadow root. */
  static override styles: CSSResultGroup = [
    PhotinusElement.styles,
    css`
      .card {
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      header {
        align-items: center;
      }
      .readout {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 20px;
      }
      .readout span {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        white-space: nowrap;
      }
      .readout strong {
        color: var(--_text);
        font-weight: 600;
      }
      .swatch {
        width: 18px;
        border-top: 2px solid currentColor;
      }
      .swatch.loss {
        border-top-style: dashed;
      }
      .accuracy {
        color: var(--_accuracy);
      }
      .loss {
        color: var(--_loss);
      }
      .plot {
        position: relative;
        flex: 1;
        min-height: 260px;
        margin-bottom: -6px;
      }
      .plot svg {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
      }
      path {
        fill: none;
        stroke-width: 1;
      }
      .grid {
        stroke: var(--_line);
      }
      .cursor {
        stroke: var(--_strong);
      }
      text {
        fill: var(--_muted);
        font-size: 12px;
      }
      text.accuracy,
      text.loss {
        fill: currentColor;
      }
      .curve path {
        stroke: currentColor;
        stroke-width: 2;
        stroke-linejoin: round;
      }
      .curve.loss path {
        stroke-dasharray: 5 4;
      }
      circle {
        fill: var(--_surface);
        stroke: currentColor;
        stroke-width: 2;
      }
      .scroll {
        flex: 1 1 260px;
        max-height: 420px;
      }
      thead th {
        position: sticky;
        top: 0;
        padding: 0 0 6px 12px;
        background: var(--_surface);
      }
      td,
      tbody th {
        padding: 5px 0 5px 12px;
        border-top: 1px solid var(--_line);
        color: var(--_text);
      }
      th:first-child {
        padding-left: 0;
        text-align: left;
      }
      @container (max-width: 560px) {
        .readout {
          order: 1;
          flex-basis: 100%;
        }
        .optional {
          display: none;
        }
      }
    `,
  ];

  /** True while the figures are shown as a table. */
  declare isTable: boolean;
  /** The round that the pointer or the keyboard is on. */
  declare pointed: ChartPoint | undefined;
  /** Size of the drawing in CSS pixels. */
  declare size: { readonly width: number; readonly height: number };

  #options: CurveOptions | undefined;
  #observed: Element | undefined;
  readonly #resize: ResizeObserver = new ResizeObserver((entries) => {
    for (const { contentRect } of entries)
      this.size = { width: contentRect.width, height: contentRect.height };
  });

  constructor() {
    super();
    this.isTable = false;
    this.pointed = undefined;
    this.size = { width: 0, height: 0 };
  }

  protected override get label(): string {
    return "Accuracy and loss";
  }

  protected override renderJob(job: JobView): TemplateResult {
    const points = chartPoints(job);
    const { pointed } = this;
    this.#options = { points, rounds: job.rounds, ...this.size, pointed };
    const shown = pointed ?? points.findLast(({ accuracy }) => accuracy !== null);
    return html`
      <header part="header">
        <h2 part="title">Learning</h2>
        <div class="readout muted">${renderReadout(shown)}</div>
        <button class="push" part="toggle" aria-pressed=${this.isTable} @click=${this.#toggle}>Show as table</button>
      </header>
      ${this.isTable ? renderPointTable(points) : this.#renderPlot(this.#options, shown)}
    `;
  }

  protected override updated(): void {
    super.updated();
    const plot = this.renderRoot.querySelector(".plot") ?? undefined;
    if (plot === this.#observed) return;
    this.#resize.disconnect();
    if (plot !== undefined) this.#resize.observe(plot);
    this.#observed = plot;
  }

  #renderPlot(options: CurveOptions, shown: ChartPoint | undefined): TemplateResult {
    const state = shown === undefined ? "No evaluation yet" : describe(shown);
    return html`<div class="plot" part="plot">
      <svg
        role="img"
        aria-label="Accuracy and loss by round. ${state}"
        @pointermove=${this.#onPointer}
        @pointerleave=${this.#onLeave}
        tabindex="0"
        @keydown=${this.#onKey}
        @blur=${this.#onLeave}
      >
        ${options.width > 0 ? renderCurves(options) : nothing}
      </svg>
    </div>`;
  }

  readonly #onPointer = ({ offsetX }: PointerEvent): void => {
    this.pointed = this.#options && nearestPoint(this.#options, offsetX);
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const evaluated = this.#options?.points.filter(({ accuracy }) => accuracy !== null) ?? [];
    const present = evaluated.findIndex(({ round }) => round === this.pointed?.round);
    const target = keyTarget(event.key, present < 0 ? evaluated.length - 1 : present, evaluated.length);
    if (target === undefined) return;
    event.preventDefault();
    this.pointed = evaluated[target];
  };

  readonly #onLeave = (): void => {
    this.pointed = undefined;
  };

  readonly #toggle = (): void => {
    this.pointed = undefined;
    this.isTable = !this.isTable;
  };
}

/** Index that a key leads to from `present`; -1 lets go of the curve, `undefined` is no key of the chart. */
function keyTarget(key: string, present: number, count: number): number | undefined {
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, present - 1);
    case "ArrowRight":
      return Math.min(count - 1, present + 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    case "Escape":
      return -1;
    default:
      return undefined;
  }
}

function renderReadout(point: ChartPoint | undefined): TemplateResult {
  return html`
    <span><i class="swatch accuracy"></i>Accuracy <strong>${formatPercentOr(point?.accuracy)}</strong></span>
    <span><i class="swatch loss"></i>Loss <strong>${formatLossOr(point?.loss)}</strong></span>
    ${point === undefined ? nothing : html`<span>${nameOf(point)}</span>`}
  `;
}

const nameOf = ({ round }: ChartPoint): string => (round === 0 ? "as submitted" : `after round ${round}`);

function describe(point: ChartPoint): string {
  return `${nameOf(point)}: accuracy ${formatPercentOr(point.accuracy)}, loss ${formatLossOr(point.loss)}`;
}
