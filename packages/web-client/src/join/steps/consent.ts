import { formatBytes, formatCount, glyph } from "@photinus/monitor";
import { html, nothing, type TemplateResult } from "lit";
import type { Proposal } from "../../site-port/index.ts";
import { CONSENT_TEXT } from "../consent-text.ts";
import type { JoinModel } from "../join-model.ts";
import type { JoinState } from "../join-state.ts";
import { describeActivity, toneOfActivity } from "./activity.ts";
import { renderFault } from "./fault.ts";
import { renderSignIn } from "./sign-in.ts";

/** Fourth step: the task, and the agreement to it. */
export function renderConsent(model: JoinModel): TemplateResult {
  const { proposal } = model.state;
  return proposal === undefined ? renderWaiting(model) : renderProposal(model, proposal);
}

function renderWaiting(model: JoinModel): TemplateResult {
  const { state } = model;
  return html`<section class="card">
    <h1>Looking for a task</h1>
    <p class="lead">
      ${state.siteName === "" ? "This browser makes its key and asks for a certificate." : html`This browser is <strong>${state.siteName}</strong>.`}
      Nothing is trained before you agree.
    </p>
    <div class="state" role="status">${glyph(toneOfActivity(state))}<p>${describeWaiting(state)}</p></div>
    ${renderSignIn(model)} ${renderFault(state.fault ?? statusFault(state))}
    <div class="actions">
      ${
        state.paused === undefined
          ? nothing
          : html`<button class="primary" ?disabled=${state.isBusy} @click=${() => model.setPaused(false)}>Go on</button>`
      }
      <button class="secondary" @click=${() => model.leave()}>Leave</button>
    </div>
  </section>`;
}

function describeWaiting(state: JoinState): string {
  if (state.signIn !== undefined) return "Waiting for you to sign in";
  if (state.status === undefined && state.paused === undefined) return "Connecting";
  return state.status?.activity === "waiting" && state.paused === undefined
    ? "Connected. Waiting for a task for this data."
    : describeActivity(state);
}

function statusFault({ status }: JoinState): { readonly code: string; readonly message: string } | undefined {
  return status?.fault && { code: status.fault.code, message: status.fault.detail };
}

function renderProposal(model: JoinModel, proposal: Proposal): TemplateResult {
  const { hasTicked, isBusy, fault } = model.state;
  return html`<section class="card">
    <h1>${proposal.name}</h1>
    <p class="lead">${proposal.purpose}</p>
    <dl class="facts">
      <dt>Asked by</dt>
      <dd>${proposal.submitter}${proposal.organization === "" ? "" : `, ${proposal.organization}`}</dd>
      <dt>Work</dt>
      <dd>
        ${formatCount(proposal.rounds)} rounds, ${formatCount(proposal.localEpochs)}
        ${proposal.localEpochs === 1 ? "pass" : "passes"} over your data in each
      </dd>
      <dt>Leaves here</dt>
      <dd>about ${formatBytes(proposal.modelBytes)} a round, ${formatBytes(proposal.modelBytes * proposal.rounds)} in all</dd>
      <dt>Comes here</dt>
      <dd>about as much</dd>
    </dl>
    <div class="terms scroll" tabindex="0" role="region" aria-label="What you agree to">
      ${CONSENT_TEXT.paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
      <p class="muted">Version ${CONSENT_TEXT.version}</p>
    </div>
    <label class="tick">
      <input type="checkbox" .checked=${hasTicked} @change=${(event: Event) => onTick(model, event)} />
      ${CONSENT_TEXT.agreement}
    </label>
    ${renderFault(fault)}
    <div class="actions">
      <button class="primary" ?disabled=${!hasTicked || isBusy} @click=${() => model.decide(true)}>
        Agree and start
      </button>
      <button class="secondary" ?disabled=${isBusy} @click=${() => model.decide(false)}>Decline</button>
    </div>
  </section>`;
}

function onTick(model: JoinModel, { target }: Event): void {
  if (target instanceof HTMLInputElement) model.tick(target.checked);
}
