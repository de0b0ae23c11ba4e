import { formatCount } from "@photinus/monitor";
import { html, nothing, type TemplateResult } from "lit";
import type { DataSummary } from "../data-summary.ts";
import type { JoinModel } from "../join-model.ts";
import { renderFault } from "./fault.ts";

/** Third step: own files, or the public examples of the server. */
export function renderData(model: JoinModel): TemplateResult {
  const { demo, data, isBusy, fault } = model.state;
  return html`<section class="card">
    <h1>Choose what to learn from</h1>
    <p class="lead">Whatever you choose is read on this device and stays on it.</p>
    <div class="two">
      ${
        demo === undefined
          ? nothing
          : html`<div class="choice">
              <h2>Demo data</h2>
              <p>${demo.title}. ${demo.licence}. Source: ${demo.source}</p>
              <button class="secondary" ?disabled=${isBusy} @click=${() => model.useDemoData()}>Use demo data</button>
            </div>`
      }
      <div class="choice">
        <h2>Your own files</h2>
        <p>
          Images and labels in IDX form, packed by gzip or not: two files to train on, two more with “test” in their
          names to hold out.
        </p>
        <label>
          Name of the data in the task
          <input
            type="text"
            maxlength="63"
            autocomplete="off"
            spellcheck="false"
            .value=${model.state.dataName}
            @input=${(event: Event) => onName(model, event)}
          />
        </label>
        <label class="secondary pick">
          Pick files
          <input class="sr" type="file" multiple ?disabled=${isBusy} @change=${(event: Event) => onPick(model, event)} />
        </label>
      </div>
    </div>
    ${data === undefined ? nothing : renderSummary(data)} ${renderFault(fault)}
    <div class="actions">
      <button class="primary" ?disabled=${isBusy || data === undefined} @click=${() => model.join()}>
        Connect and see the task
      </button>
      <button class="secondary" @click=${() => model.goTo("device")}>Back</button>
    </div>
  </section>`;
}

function onName(model: JoinModel, { target }: Event): void {
  if (target instanceof HTMLInputElement) model.nameData(target.value.trim());
}

async function onPick(model: JoinModel, { target }: Event): Promise<void> {
  if (!(target instanceof HTMLInputElement) || target.files === null || target.files.length === 0) return;
  await model.useFiles([...target.files]);
  target.value = "";
}

function renderSummary({
  trainingExamples,
  heldOutExamples,
  labelCounts,
  pictures,
}: DataSummary): TemplateResult {
  const kinds = labelCounts.filter((count) => count > 0).length;
  return html`<div>
    <h2>${formatCount(trainingExamples)} examples to learn from, ${formatCount(heldOutExamples)} held out</h2>
    <p class="muted">${kinds} different labels. A few of them:</p>
    <ul class="pictures">
      ${pictures.map(
        (picture) => html`<li><photinus-example .picture=${picture}></photinus-example>${picture.label}</li>`,
      )}
    </ul>
  </div>`;
}
