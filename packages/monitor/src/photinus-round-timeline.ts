import type { ContributionView, JobView, RoundView, SiteView } from "@photinus/core/message/observation";
import { type CSSResultGroup, css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { formatCount, formatDuration, formatLoss } from "./format.ts";
import { glyph } from "./glyph.ts";
import { labelOf, type Tone, toneOf, toneOfOutcome } from "./phase.ts";
import { PhotinusElement, remedyOf } from "./photinus-element.ts";

/** Up to this many rounds, those to come are drawn too; up to the other, each cell says how long it took. */
const MAX_PLANNED = 40;
const FEW = 12;
/** Rounds and sites drawn at most, and incidents listed at most: the newest. */
const MAX_ROUNDS = 100;
const MAX_SITES = 60;
const MAX_INCIDENTS = 6;

const LEGEND: readonly (readonly [tone: Tone, text: string])[] = [
  ["done", "accepted"],
  ["active", "in progress"],
  ["late", "late"],
  ["missing", "missing"],
  ["refused", "refused"],
];

const OUTCOMES: Readonly<Record<ContributionView["outcome"], string>> = {
  accepted: "accepted",
  refused: "refused",
  late: "late",
  missing: "missing",
};

/** `<photinus-round-timeline>`: every site in every round, and the one cause of each contribution that did not count. */
export class PhotinusRoundTimeline extends PhotinusElement {
  /** Of the shadow root. */
  static override styles: CSSResultGroup = [
    PhotinusElement.styles,
    css`
      .scroll {
        margin: 0 calc(-1 * var(--_padding));
        padding: 0 var(--_padding) 4px;
        scrollbar-width: thin;
      }
      th,
      td {
        height: 30px;
        min-width: 30px;
        padding: 0;
        text-align: center;
        vertical-align: middle;
      }
      thead th {
        font-size: 12px;
      }
      .present {
        color: var(--_text);
        font-weight: 600;
      }
      tbody tr:hover > * {
        background: var(--_sunken);
      }
      tbody th,
      thead th:first-child {
        position: sticky;
        left: calc(-1 * var(--_padding));
        z-index: 1;
        width: 1%;
        max-width: 180px;
        padding: 0 16px 0 var(--_padding);
        overflow: hidden;
        background: var(--_surface);
        color: var(--_text);
        text-align: left;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .scroll > table {
        margin-left: calc(-1 * var(--_padding));
      }
      td .glyph {
        display: inline-block;
        vertical-align: middle;
      }
      td .glyph.planned {
        opacity: 0.5;
      }
      .time {
        display: none;
        width: 0;
        margin: 0 -8px 0 8px;
        overflow: visible;
        color: var(--_muted);
        font-size: 12px;
        white-space: nowrap;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 18px;
        margin-top: 12px;
      }
      .legend li,
      .incident {
        display: flex;
        align-items: center;
        gap: 8px;
      }
      h3 {
        margin: 20px 0 4px;
      }
      .incident {
        align-items: baseline;
        gap: 12px;
        padding: 8px 0;
        border-top: 1px solid var(--_line);
      }
      .incident .glyph {
        align-self: center;
      }
      .incident .what {
        flex: 0 0 auto;
        min-width: 150px;
      }
      @container (min-width: 900px) {
        .few .time {
          display: inline-block;
        }
      }
      @container (max-width: 560px) {
        .incident {
          flex-wrap: wrap;
        }
        .incident .why {
          flex-basis: 100%;
          padding-left: 24px;
        }
        tbody th {
          max-width: 104px;
        }
      }
    `,
  ];

  #followed = 0;

  protected override get label(): string {
    return "Rounds";
  }

  protected override renderJob(job: JobView): TemplateResult {
    const rounds = job.history.slice(-MAX_ROUNDS);
    return html`
      <header part="header">
        <h2 part="title">Rounds</h2>
        <span class="muted push">${summarize(job)}</span>
      </header>
      ${rounds.length === 0 ? html`<p class="muted">The first round has not begun.</p>` : renderTable(job, rounds)}
      ${renderIncidents(job)}
    `;
  }

  protected override updated(): void {
    super.updated();
    this.#followPresentRound();
  }

  /** Keeps the present round in view, with what is planned next, until somebody scrolls away. */
  #followPresentRound(): void {
    const scroll = this.renderRoot.querySelector(".scroll");
    const present = this.renderRoot.querySelector<HTMLElement>("thead .present");
    if (scroll === null || present === null || Math.abs(scroll.scrollLeft - this.#followed) > 8) return;
    scroll.scrollLeft = present.offsetLeft + 4 * present.offsetWidth - scroll.clientWidth;
    this.#followed = scroll.scrollLeft;
  }
}

function summarize({ history }: JobView): string {
  const counts = { accepted: 0, refused: 0, late: 0, missing: 0 };
  for (const { contributions } of history) for (const { outcome } of contributions) counts[outcome]++;
  const rest = (["refused", "late", "missing"] as const).flatMap((outcome) =>
    counts[outcome] === 0 ? [] : [`${formatCount(counts[outcome])} ${outcome}`],
  );
  return [`${formatCount(counts.accepted)} accepted`, ...rest].join(", ");
}

function renderTable(job: JobView, rounds: readonly RoundView[]): TemplateResult {
  const sites = job.sites
    .toSorted((left, right) => left.name.localeCompare(right.name, "en", { numeric: true }))
    .slice(0, MAX_SITES);
  const planned = Array.from(
    { length: job.rounds <= MAX_PLANNED ? Math.max(0, job.rounds - job.history.length) : 0 },
    (_, index) => job.history.length + index + 1,
  );
  const bySite = rounds.map(({ contributions }) => new Map(contributions.map((item) => [item.site, item])));
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Contributions by site and round">
      <table part="table" class=${rounds.length + planned.length <= FEW ? "few" : ""}>
        <thead>
          <tr>
            <th scope="col"><span class="sr">Site</span></th>
            ${rounds.map((round, index) => renderRoundHead(round, index === rounds.length - 1))}
            ${planned.map((round) => html`<th scope="col">${round}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${repeat(
            sites,
            ({ name }) => name,
            (site) => html`<tr>
              <th scope="row" title=${site.name}>${site.name}</th>
              ${rounds.map((round, index) => html`<td>${renderCell(site, round, bySite[index]?.get(site.name))}</td>`)}
              ${planned.map(() => html`<td>${mark("planned", "planned", "")}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <ul class="legend muted" aria-hidden="true">
      ${LEGEND.map(([tone, text]) => html`<li>${glyph(tone)}${text}</li>`)}
    </ul>
  `;
}

function renderRoundHead({ round, startedAtMs, endedAtMs }: RoundView, isPresent: boolean): TemplateResult {
  const isRunning = endedAtMs === undefined;
  const title = isRunning
    ? `Round ${round}, running`
    : `Round ${round}, ${formatDuration(endedAtMs - startedAtMs)}`;
  return html`<th scope="col" class=${isPresent ? "present" : ""} title=${title}>${round}</th>`;
}

function renderCell(
  site: SiteView,
  { endedAtMs }: RoundView,
  contribution: ContributionView | undefined,
): TemplateResult | typeof nothing {
  if (contribution !== undefined) {
    const { outcome, milliseconds } = contribution;
    const time = outcome === "accepted" ? formatDuration(milliseconds) : "";
    return mark(toneOfOutcome(outcome), OUTCOMES[outcome], describe(contribution), time);
  }
  if (endedAtMs !== undefined) return html`<span class="sr">not in this round</span>`;
  return mark(toneOf(site.phase), labelOf(site.phase), labelOf(site.phase));
}

function mark(tone: Tone, text: string, title: string, time = ""): TemplateResult {
  return html`<span title=${title}>${glyph(tone)}<span class="sr">${text}</span><span class="time">${time}</span></span>`;
}

function describe({
  outcome,
  cause,
  exampleCount,
  trainingLoss,
  norm,
  milliseconds,
}: ContributionView): string {
  if (outcome !== "accepted") return `${outcome}: ${cause}`;
  const loss = trainingLoss > 0 ? `, training loss ${formatLoss(trainingLoss)}` : "";
  const length = norm > 0 ? `, update norm ${norm.toPrecision(3)}` : "";
  return `${formatCount(exampleCount)} examples in ${formatDuration(milliseconds)}${loss}${length}`;
}

function renderIncidents({ history }: JobView): TemplateResult | typeof nothing {
  const incidents = history
    .toReversed()
    .flatMap(({ round, contributions }) =>
      contributions.filter(({ outcome }) => outcome !== "accepted").map((item) => ({ round, item })),
    );
  if (incidents.length === 0) return nothing;
  const hidden = incidents.length - MAX_INCIDENTS;
  return html`
    <h3>Did not count</h3>
    <ul part="incidents">
      ${incidents.slice(0, MAX_INCIDENTS).map(
        ({ round, item }) => html`<li class="incident">
          ${glyph(toneOfOutcome(item.outcome))}
          <span class="what">Round ${round}, ${item.site} ${item.outcome}</span>
          <span class="why muted"><code>${item.cause}</code> ${remedyOf(item.cause)}</span>
        </li>`,
      )}
    </ul>
    ${hidden > 0 ? html`<p class="muted">and ${formatCount(hidden)} earlier</p>` : nothing}
  `;
}
