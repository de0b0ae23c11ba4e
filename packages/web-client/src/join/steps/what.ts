import { html, type TemplateResult } from "lit";
import type { JoinModel } from "../join-model.ts";
import { renderFault } from "./fault.ts";

/** First step: what this is about, what leaves the device and what stays. */
export function renderWhat(model: JoinModel): TemplateResult {
  const { invitation, isBusy, fault } = model.state;
  const isKnown = invitation !== undefined && invitation.siteName !== "";
  return html`<section class="card">
    <h1>Help a model learn. Keep your data.</h1>
    <p class="lead">
      ${invitation === undefined ? "A federation" : html`The project <strong>${invitation.project}</strong>`} trains one
      model with many participants. Each learns on its own data, on its own device, and gives back only what the model
      learned.
    </p>
    <div class="two">
      <div>
        <h2>Leaves this device</h2>
        <ul>
          <li>Changes of the model: numbers, no examples. Each one is shown to you.</li>
          <li>How many examples you have, and how well the model does on those you hold out</li>
          <li>A made-up name, and whether you train by WebGPU or WebAssembly</li>
        </ul>
      </div>
      <div>
        <h2>Stays here</h2>
        <ul>
          <li>Your files, every example and label</li>
          <li>The private key that signs for you: made here, it cannot be copied out</li>
          <li>What you look at on this page. Nobody else is contacted.</li>
        </ul>
      </div>
    </div>
    <p class="muted">
      What this page promises is worth as much as ${location.host}, which served it. Go on only if you trust who runs it.
    </p>
    ${renderFault(fault)}
    <div class="actions">
      <button class="primary" ?disabled=${isBusy || invitation === undefined} @click=${() => model.checkDevice()}>
        Check this device
      </button>
      <span class="muted">
        ${isKnown ? html`This browser is <strong>${invitation.siteName}</strong>.` : "The task asks for your agreement first."}
      </span>
    </div>
  </section>`;
}
