import { glyph } from "@photinus/monitor";
import {
  type CSSResultGroup,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { renderBrand } from "../page/brand.ts";
import { JoinModel, type JoinModules } from "./join-model.ts";
import type { JoinStep } from "./join-state.ts";
import { joinStyles } from "./join-styles.css.ts";
import type { Obstacle } from "./requirements.ts";
import { renderConsent } from "./steps/consent.ts";
import { renderData } from "./steps/data.ts";
import { renderDevice } from "./steps/device.ts";
import { renderTraining } from "./steps/training.ts";
import { renderWhat } from "./steps/what.ts";

const STEPS: readonly (readonly [step: JoinStep, name: string])[] = [
  ["what", "What"],
  ["device", "Device"],
  ["data", "Data"],
  ["consent", "Agreement"],
  ["training", "Training"],
];

/** `<photinus-join>`: the page at `/join`. */
export class PhotinusJoin extends LitElement {
  static override properties: PropertyDeclarations = { modules: { attribute: false } };

  static override styles: CSSResultGroup = joinStyles;

  /** What the page works with; set once, before the element is connected to it. */
  declare modules: JoinModules | undefined;

  #model: JoinModel | undefined;
  #shown: JoinStep | undefined;

  protected override willUpdate(): void {
    if (this.modules !== undefined) this.#model ??= new JoinModel(this, this.modules);
  }

  protected override updated(): void {
    const step = this.#model?.state.step;
    // Who does not see the page is led to the new step; the first one is where reading begins anyway.
    if (this.#shown !== undefined && step !== this.#shown) {
      const heading = this.renderRoot.querySelector("h1");
      heading?.setAttribute("tabindex", "-1");
      heading?.focus({ preventScroll: true });
      window.scrollTo({ top: 0 });
    }
    this.#shown = step;
  }

  protected override render(): TemplateResult {
    const model = this.#model;
    return html`<div class="frame">
      <header class="top">${renderBrand()} ${model === undefined ? "" : renderSteps(model.state.step)}</header>
      <main>${model === undefined ? "" : renderMain(model)}</main>
    </div>`;
  }
}

function renderSteps(present: JoinStep): TemplateResult {
  const index = STEPS.findIndex(([step]) => step === present);
  return html`<ol class="steps" aria-label="Steps">
    ${STEPS.map(
      ([step, name], position) => html`<li aria-current=${step === present ? "step" : nothing}>
        ${glyph(position < index ? "done" : position === index ? "active" : "waiting")}<span>${name}</span>
      </li>`,
    )}
  </ol>`;
}

function renderMain(model: JoinModel): TemplateResult {
  const { obstacle, step } = model.state;
  if (obstacle !== undefined) return html`<div class="sheet">${renderObstacle(obstacle)}</div>`;
  switch (step) {
    case "what":
      return html`<div class="sheet">${renderWhat(model)}</div>`;
    case "device":
      return html`<div class="sheet">${renderDevice(model)}</div>`;
    case "data":
      return html`<div class="sheet">${renderData(model)}</div>`;
    case "consent":
      return html`<div class="sheet">${renderConsent(model)}</div>`;
    case "training":
      return renderTraining(model);
    case "left":
      return html`<div class="sheet">${renderLeft()}</div>`;
  }
}

function renderObstacle({ title, detail, remedy }: Obstacle): TemplateResult {
  return html`<section class="card" role="alert">
    <h1>${title}</h1>
    <p class="lead">${detail}</p>
    <p>${remedy}</p>
  </section>`;
}

function renderLeft(): TemplateResult {
  return html`<section class="card">
    <h1>You have left</h1>
    <p class="lead">
      The key, the certificate, the agreements and the data of this page are deleted from this device. What was combined
      before stays part of the model. To come back, ask the organizer for a new link.
    </p>
  </section>`;
}
