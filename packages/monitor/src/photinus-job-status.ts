import type { JobState, JobView, MetricsView, RoundView } from "@photinus/core/message/observation";
import { type CSSResultGroup, css, html, nothing, type TemplateResult } from "lit";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatPoints,
} from "./format.ts";
import { glyph } from "./glyph.ts";
import type { Tone } from "./phase.ts";
import { PhotinusElement, remedyOf } from "./photinus-element.ts";

const STATES: Readonly<Record<JobState, { readonly label: string; readonly tone: Tone }>> = {
  waiting: { label: "Waiting for sites", tone: "waiting" },
  dispatched: { label: "Sites prepare", tone: "waiting" },
  running: { label: "Running", tone: "active" },
  finished: { label: "Finished", tone: "done" },
  failed: { label: "Failed", tone: "refused" },
  aborted: { label: "Aborted", tone: "missing" },
};

/** Segments of the progress bar at most. */
const MAX_SEGMENTS = 50;

/** `<photinus-job-status>`: where a job stands, in five figures. */
export class PhotinusJobStatus extends PhotinusElement {
  /** Of the shadow root. */
  static override styles: CSSResultGroup = [
    PhotinusElement.styles,
    css`
      header {
        align-items: flex-start;
      }
      h2 {
        font-size: 22px;
        line-height: 1.25;
        letter-spacing: -0.018em;
        overflow-wrap: anywhere;
      }
      .purpose {
        max-width: 90ch;
        text-wrap: pretty;
        margin: -10px 0 20px;
        color: var(--_muted);
      }
      .badge {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        padding: 4px 12px 4px 9px;
        border: 1px solid var(--_line);
        border-radius: 99px;
        font-size: 13px;
        font-weight: 500;
        white-space: nowrap;
      }
      dl {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: 20px 24px;
      }
      dt {
        color: var(--_muted);
        font-size: 12.5px;
      }
      .figure {
        display: flex;
        flex-wrap: wrap;
        align-items: baseline;
        column-gap: 8px;
        font-size: 28px;
        font-weight: 600;
        line-height: 1.25;
        letter-spacing: -0.022em;
      }
      .figure small {
        font-weight: 400;
        letter-spacing: 0;
      }
      .figure .of {
        font-size: 16px;
        letter-spacing: -0.01em;
      }
      .better {
        color: var(--_glow);
      }
      .segments {
        display: flex;
        gap: clamp(1px, 0.3cqw, 3px);
        margin: 20px 0 0;
      }
      .segments i {
        flex: 1;
        height: 4px;
        border-radius: 2px;
        background: var(--_line);
      }
      .segments .done,
      .segments .now {
        background: var(--_glow);
      }
      .segments .now {
        opacity: 0.45;
      }
      .wide {
        grid-column: 1 / -1;
      }
      .reason {
        margin-top: 16px;
      }
      @container (min-width: 640px) {
        dl {
          grid-template-columns: repeat(4, auto);
          justify-content: space-between;
        }
        .wide {
          grid-column: auto;
        }
      }
      @container (min-width: 860px) {
        h2 {
          font-size: 26px;
        }
        dl {
          grid-template-columns: repeat(5, auto);
        }
        .figure {
          font-size: 32px;
        }
      }
    `,
  ];

  protected override get label(): string {
    return "Job status";
  }

  protected override renderJob(job: JobView): TemplateResult {
    const { label, tone } = STATES[job.state];
    return html`
      <header part="header">
        <h2 part="title">${job.name}</h2>
        <span class="badge push" part="state">${glyph(tone)}${this.#stateLabel(label)}</span>
      </header>
      ${job.purpose === "" ? nothing : html`<p class="purpose">${job.purpose}</p>`}
      <dl>
        ${renderRound(job)} ${renderQuality(job)} ${renderSites(job)} ${renderTraffic(job)}
      </dl>
      ${renderSegments(job)} ${renderReason(job)}
      <p class="sr" role="status">${summarize(job)}</p>
    `;
  }

  #stateLabel(label: string): string {
    return this.controller.feed.status === "reconnecting" ? `${label}, reconnecting` : label;
  }
}

function committedRounds(job: JobView): readonly RoundView[] {
  return job.history.filter(({ endedAtMs }) => endedAtMs !== undefined);
}

/** The round that people talk about: the running one, else the last. */
function presentRound(job: JobView): number {
  return job.history.at(-1)?.round ?? 0;
}

function figure(name: string, value: unknown, note: unknown, width = ""): TemplateResult {
  return html`<div class=${width} part="figure">
    <dt>${name}</dt>
    <dd><span class="figure">${value}</span><small>${note}</small></dd>
  </div>`;
}

function renderRound(job: JobView): TemplateResult {
  const times = committedRounds(job).map(
    ({ startedAtMs, endedAtMs = startedAtMs }) => endedAtMs - startedAtMs,
  );
  const median = times.toSorted((left, right) => left - right)[times.length >> 1];
  const value = html`${formatCount(presentRound(job))}
    <small class="of">of ${formatCount(job.rounds)}</small>`;
  return figure("Round", value, median === undefined ? "not started" : `${formatDuration(median)} a round`);
}

/** Newest evaluation and the one before it. */
function lastTwo(job: JobView): readonly [MetricsView | undefined, MetricsView | undefined] {
  const evaluations = [job.initialEvaluation, ...job.history.map(({ evaluation }) => evaluation)].filter(
    (evaluation) => evaluation !== undefined,
  );
  return [evaluations.at(-1), evaluations.at(-2)];
}

function renderQuality(job: JobView): TemplateResult {
  const [now, before] = lastTwo(job);
  if (now === undefined) {
    return html`${figure("Accuracy", "–", "not evaluated yet")}${figure("Loss", "–", "not evaluated yet")}`;
  }
  const examples = `on ${formatCount(now.exampleCount)} held-out examples`;
  const gain = before === undefined ? nothing : renderGain(now.accuracy - before.accuracy);
  const change = before === undefined ? "first evaluation" : `${formatLoss(before.loss)} a round before`;
  return html`
    ${figure("Accuracy", html`${formatPercent(now.accuracy)} ${gain}`, examples)}
    ${figure("Loss", formatLoss(now.loss), change)}
  `;
}

function renderGain(gain: number): TemplateResult {
  return html`<small class=${gain > 0 ? "better" : ""} title="percentage points since the round before"
    >${formatPoints(gain)}</small
  >`;
}

function renderSites(job: JobView): TemplateResult {
  const present = job.sites.filter(({ phase }) => phase !== "disconnected");
  const value = html`${formatCount(present.length)} <small class="of">of ${formatCount(job.sites.length)}</small>`;
  const examples = job.sites.reduce((sum, { trainingExamples }) => sum + trainingExamples, 0);
  const note =
    examples > 0 ? `${formatCount(examples)} training examples` : `needs ${formatCount(job.minimumSites)}`;
  return figure("Sites connected", value, note);
}

function renderTraffic(job: JobView): TemplateResult {
  const down = job.sites.reduce((sum, { bytesDown }) => sum + bytesDown, 0);
  const up = job.sites.reduce((sum, { bytesUp }) => sum + bytesUp, 0);
  return figure(
    "Traffic",
    formatBytes(down + up),
    `${formatBytes(down)} to sites, ${formatBytes(up)} back`,
    "wide",
  );
}

/** One segment per round; of a long job, one per equal share of its rounds. */
function renderSegments(job: JobView): TemplateResult {
  const count = Math.min(job.rounds, MAX_SEGMENTS);
  const perSegment = job.rounds / count;
  const done = Math.floor(committedRounds(job).length / perSegment);
  const now = Math.ceil(presentRound(job) / perSegment) - 1;
  const kindOf = (index: number): string => (index < done ? "done" : index === now ? "now" : "");
  return html`<div class="segments" part="progress" aria-hidden="true">
    ${Array.from({ length: count }, (_, index) => html`<i class=${kindOf(index)}></i>`)}
  </div>`;
}

function renderReason(job: JobView): TemplateResult | typeof nothing {
  if (job.state !== "failed" && job.state !== "aborted") return nothing;
  const who = job.end === undefined || job.end.by === "server" ? "" : `Ended by ${job.end.by}. `;
  const why = job.end === undefined || job.end.detail === "" ? "" : `${sentence(job.end.detail)} `;
  return html`<p class="reason" role="alert">
    <code>${job.reason}</code> ${why}${who}${remedyOf(job.reason)}
  </p>`;
}

/** With a capital and a full stop. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

function summarize(job: JobView): string {
  const [now] = lastTwo(job);
  const accuracy = now === undefined ? "" : `, accuracy ${formatPercent(now.accuracy)}`;
  return `${STATES[job.state].label}, round ${presentRound(job)} of ${job.rounds}${accuracy}`;
}
