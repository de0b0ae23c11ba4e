import { html, type TemplateResult } from "lit";
import type { ChartPoint } from "./chart-data.ts";
import { formatDuration, formatLossOr, formatPercentOr } from "./format.ts";

/** The figures behind the curves, newest first. */
export function renderPointTable(points: readonly ChartPoint[]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Accuracy and loss by round">
    <table part="table">
      <thead>
        <tr>
          <th scope="col">Round</th>
          <th scope="col">Accuracy</th>
          <th scope="col">Loss</th>
          <th scope="col" class="optional">Training loss</th>
          <th scope="col">Accepted</th>
          <th scope="col" class="optional">Time</th>
        </tr>
      </thead>
      <tbody>
        ${points.toReversed().map(renderRow)}
      </tbody>
    </table>
  </div>`;
}

function renderRow(point: ChartPoint): TemplateResult {
  return html`<tr>
    <th scope="row">${point.round === 0 ? "start" : point.round}</th>
    <td>${formatPercentOr(point.accuracy)}</td>
    <td>${formatLossOr(point.loss)}</td>
    <td class="optional">${formatLossOr(point.trainingLoss)}</td>
    <td>${point.round === 0 ? "" : point.accepted}</td>
    <td class="optional">${point.milliseconds === null ? "" : formatDuration(point.milliseconds)}</td>
  </tr>`;
}
