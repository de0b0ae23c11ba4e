import { glyph } from "@photinus/monitor";
import { html, nothing, type TemplateResult } from "lit";
import type { BrowserDevice, DeviceReport, DeviceTrial } from "../../site-port/index.ts";
import type { JoinModel } from "../join-model.ts";
import { renderFault } from "./fault.ts";

const NAMES: Readonly<Record<BrowserDevice, string>> = { webgpu: "WebGPU", wasm: "WebAssembly" };

/** Second step: a few real training steps on each provider. */
export function renderDevice(model: JoinModel): TemplateResult {
  const { report, isBusy, fault } = model.state;
  return html`<section class="card">
    <h1>${report === undefined ? "Checking this device" : describeReport(report)}</h1>
    <p class="lead">A few real training steps on each engine of this browser. Nothing is sent.</p>
    ${report === undefined ? renderWaiting(isBusy) : html`<ul class="rows">${report.trials.map(renderTrial(report))}</ul>`}
    ${renderFault(fault)} ${report?.chosen === undefined && report !== undefined ? renderRemedy() : nothing}
    <div class="actions">
      <button class="primary" ?disabled=${report?.chosen === undefined} @click=${() => model.goTo("data")}>
        Choose data
      </button>
      <button class="secondary" ?disabled=${isBusy} @click=${() => model.checkDevice()}>Check again</button>
    </div>
  </section>`;
}

function describeReport({ chosen }: DeviceReport): string {
  return chosen === undefined ? "This device cannot train" : `This device trains by ${NAMES[chosen]}`;
}

function renderWaiting(isBusy: boolean): TemplateResult {
  return html`<div class="state" role="status">
    ${glyph(isBusy ? "active" : "waiting")}
    <p>Loading the engine and timing it. The first time takes a few seconds.</p>
  </div>`;
}

const renderTrial =
  ({ chosen }: DeviceReport) =>
  (trial: DeviceTrial): TemplateResult => {
    const { device, stepsPerSecond } = trial;
    const canTrain = stepsPerSecond > 0;
    const tone = device === chosen ? "done" : canTrain ? "waiting" : "gone";
    return html`<li class="row">
      ${glyph(tone)}
      <strong>${NAMES[device]}</strong>
      <span>${canTrain ? `${formatRate(stepsPerSecond)} steps/s` : "not available"}</span>
      <small>${describeTrial(trial)}</small>
    </li>`;
  };

function describeTrial({ stepsPerSecond, threads, detail }: DeviceTrial): string {
  const work =
    threads === 0 || stepsPerSecond === 0 ? "" : `${threads} ${threads === 1 ? "thread" : "threads"}`;
  return [detail, work].filter((words) => words !== "").join(", ");
}

const formatRate = (rate: number): string => (rate >= 10 ? rate.toFixed(0) : rate.toFixed(1));

function renderRemedy(): TemplateResult {
  return html`<p>
    Use a current Chromium, Firefox or Safari, and let this page run WebAssembly. A computer with a graphics card is
    fastest.
  </p>`;
}
