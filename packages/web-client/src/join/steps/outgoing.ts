import type { OutgoingContribution, OutgoingPrivacy, OutgoingTensor } from "@photinus/core/site";
import { formatBytes, formatCount, glyph, type Tone } from "@photinus/monitor";
import { html, nothing, type TemplateResult } from "lit";

const RECEIPTS: Readonly<
  Record<OutgoingContribution["receipt"], { readonly tone: Tone; readonly text: string }>
> = {
  none: { tone: "active", text: "on its way" },
  received: { tone: "active", text: "received" },
  committed: { tone: "done", text: "counted" },
  refused: { tone: "refused", text: "refused" },
};

/** The very content of what left this device last, and a line for each time before. */
export function renderOutgoing(outgoing: readonly OutgoingContribution[]): TemplateResult {
  const last = outgoing.at(-1);
  return html`<section class="card outgoing" aria-label="What leaves this device">
    <header><h2>What leaves this device</h2></header>
    ${
      last === undefined
        ? html`<p class="muted">Nothing yet. After the first round you see here what was sent: names, shapes and sizes of the numbers, their digest and the receipt.</p>`
        : html`${renderLast(last)} ${renderEarlier(outgoing.slice(0, -1))}`
    }
  </section>`;
}

function renderLast(contribution: OutgoingContribution): TemplateResult {
  const { round, tensors, totalBytes, norm, exampleCount, privacy, digest } = contribution;
  return html`
    <dl class="facts">
      <dt>Round</dt>
      <dd>${round}</dd>
      <dt>Size</dt>
      <dd>${formatBytes(totalBytes)} in ${formatCount(tensors.length)} tensors</dd>
      <dt>Norm</dt>
      <dd>${norm.toPrecision(4)}</dd>
      <dt>Examples</dt>
      <dd>${formatCount(exampleCount)} (the number)</dd>
      <dt>Filters</dt>
      <dd>${renderFilters(privacy)}</dd>
      <dt>Measured</dt>
      <dd>${privacy.tellsMetrics ? "loss and accuracy" : "nothing: losses stay here"}</dd>
      ${renderSpent(privacy)}
      <dt>Digest</dt>
      <dd><code>${digest}</code></dd>
      <dt>Receipt</dt>
      <dd>${renderReceipt(contribution)}</dd>
    </dl>
    <div class="scroll" tabindex="0" role="region" aria-label="Tensors of round ${round}">
      <table class="tensors">
        <thead>
          <tr>
            <th scope="col">Tensor</th>
            <th scope="col">Shape</th>
            <th scope="col">Norm</th>
          </tr>
        </thead>
        <tbody>
          ${tensors.map(renderTensor)}
        </tbody>
      </table>
    </div>
  `;
}

/** What each filter did, the site's first: nobody has to believe that something was done. */
function renderFilters({ scope, filters }: OutgoingPrivacy): TemplateResult {
  if (filters.length === 0) return html`none (scope ${scope}): sent as trained`;
  return html`scope ${scope}
    <ol class="filters">
      ${filters.map(
        ({ name, origin, numbers }) => html`<li>
          <strong>${name}</strong> ${origin === "job" ? "of the job" : "of this device"}<br />
          <span class="muted">${Object.entries(numbers)
            .map(([label, value]) => `${label} ${formatNumber(value)}`)
            .join(", ")}</span>
        </li>`,
      )}
    </ol>`;
}

function renderSpent({ spent }: OutgoingPrivacy): TemplateResult | typeof nothing {
  if (spent === undefined) return nothing;
  const { epsilon, budget, delta } = spent;
  return html`<dt>Spent</dt>
    <dd>ε ${formatNumber(epsilon)} of ${formatNumber(budget)} at δ ${formatNumber(delta)}</dd>`;
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

function renderTensor({ name, dtype, shape, norm }: OutgoingTensor): TemplateResult {
  return html`<tr>
    <th scope="row"><code>${name}</code></th>
    <td>${dtype} ${shape.length === 0 ? "scalar" : shape.join(" × ")}</td>
    <td>${norm.toPrecision(3)}</td>
  </tr>`;
}

function renderReceipt({ receipt, cause }: OutgoingContribution): TemplateResult {
  const { tone, text } = RECEIPTS[receipt];
  return html`${glyph(tone)} ${text} ${cause === "" ? nothing : html`<code>${cause}</code>`}`;
}

function renderEarlier(earlier: readonly OutgoingContribution[]): TemplateResult | typeof nothing {
  if (earlier.length === 0) return nothing;
  return html`<details>
    <summary class="muted">${formatCount(earlier.length)} before</summary>
    <dl class="facts">
      ${earlier.toReversed().map(
        (contribution) => html`<dt>Round ${contribution.round}</dt>
          <dd>${formatBytes(contribution.totalBytes)} ${renderReceipt(contribution)}</dd>`,
      )}
    </dl>
  </details>`;
}
