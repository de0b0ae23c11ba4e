import { formatBytes, formatCount, formatLossOr, formatPercentOr, glyph } from "@photinus/monitor";
import { html, nothing, type TemplateResult } from "lit";
import type { JoinModel } from "../join-model.ts";
import { isDone, type JoinState } from "../join-state.ts";
import { describeActivity, toneOfActivity } from "./activity.ts";
import { renderDeviceLink } from "./devices.ts";
import { renderFault } from "./fault.ts";
import { renderOutgoing } from "./outgoing.ts";
import { renderSignIn } from "./sign-in.ts";

/** Last step: the work, what it yields and what leaves. */
export function renderTraining(model: JoinModel): TemplateResult {
  const { state } = model;
  return html`<div class="work">
    ${renderDeviceLink(model)}
    <section class="card now" aria-label="Training">
      ${renderNow(state)} ${renderSignIn(model)} ${renderFigures(state)} ${renderFault(faultOf(state))} ${renderActions(model)}
    </section>
    ${renderOutgoing(state.status?.outgoing ?? [])}
    <photinus-round-chart .source=${model.curve}></photinus-round-chart>
  </div>`;
}

function renderNow(state: JoinState): TemplateResult {
  const { status, proposal } = state;
  const job = status?.job;
  return html`
    <h1>${job?.name ?? proposal?.name ?? "Training"}</h1>
    <div>
      <p class="state-line" role="status">
        ${glyph(toneOfActivity(state))}<span>${describeActivity(state)}</span>
        <span class="muted push">${job === undefined ? "" : `Round ${formatCount(job.round)} of ${formatCount(job.rounds)}`}</span>
      </p>
      <progress max="1" value=${isDone(state) ? 1 : (status?.progress ?? 0)} aria-label="Progress of this step"></progress>
    </div>
  `;
}

function renderFigures({ status }: JoinState): TemplateResult {
  const job = status?.job;
  const evaluation = job?.evaluations.at(-1)?.evaluation;
  return html`<dl class="figures">
    ${figure("Counted", formatCount(status?.committed ?? 0), "contributions")}
    ${figure("Accuracy", formatPercentOr(evaluation?.accuracy), `on ${formatCount(job?.heldOutExamples ?? 0)} of yours`)}
    ${figure("Training loss", formatLossOr(status?.trainingLoss ?? job?.losses.at(-1)?.loss), deviceOf(job?.device ?? ""))}
    ${figure("Sent", formatBytes(status?.bytesUp ?? 0), `${formatBytes(status?.bytesDown ?? 0)} received`)}
  </dl>`;
}

function figure(name: string, value: string, note: string): TemplateResult {
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}<small>${note}</small></dd>
  </div>`;
}

function deviceOf(device: string): string {
  return device === ""
    ? ""
    : `by ${device === "webgpu" ? "WebGPU" : device === "wasm" ? "WebAssembly" : device}`;
}

function faultOf({
  fault,
  status,
}: JoinState): { readonly code: string; readonly message: string } | undefined {
  return fault ?? (status?.fault && { code: status.fault.code, message: status.fault.detail });
}

function renderActions(model: JoinModel): TemplateResult {
  const { state } = model;
  const done = isDone(state);
  return html`<div class="actions">
    ${
      done
        ? html`<button class="primary" @click=${() => downloadReceipts(state)}>Download receipts</button>`
        : html`
            <button class="secondary" ?disabled=${state.isBusy} @click=${() => model.setPaused(state.paused === undefined)}>
              ${state.paused === undefined ? "Pause" : "Go on"}
            </button>
            ${"wakeLock" in navigator ? renderWakeLock(model) : nothing}
            <button
              class="secondary"
              ?disabled=${state.isBusy || state.paused !== undefined || state.deviceLink !== ""}
              @click=${() => model.inviteDevice()}
            >
              Add another device
            </button>
          `
    }
    <button class="secondary" ?disabled=${state.isBusy} @click=${() => model.leave()}>
      ${done ? "Leave and delete local data" : "Leave"}
    </button>
    <span class="muted push">${state.siteName}</span>
  </div>`;
}

function renderWakeLock(model: JoinModel): TemplateResult {
  const { keepsAwake, isBusy } = model.state;
  return html`<button
    class="secondary"
    aria-pressed=${keepsAwake}
    ?disabled=${isBusy}
    @click=${() => model.setAwake(!keepsAwake)}
  >
    ${keepsAwake ? "Screen stays on" : "Keep screen on"}
  </button>`;
}

/** What this site sent and what the server answered, as a file for the participant. */
function downloadReceipts({ status, siteName, invitation }: JoinState): void {
  const record = {
    project: invitation?.project,
    site: siteName,
    job: status?.job,
    contributions: status?.outgoing,
  };
  const address = URL.createObjectURL(
    new Blob([JSON.stringify(record, undefined, 2)], { type: "application/json" }),
  );
  const link = document.createElement("a");
  link.href = address;
  link.download = `photinus-receipts-${siteName}.json`;
  link.click();
  URL.revokeObjectURL(address);
}
