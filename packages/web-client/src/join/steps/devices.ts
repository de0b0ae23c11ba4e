import { html, nothing, type TemplateResult } from "lit";
import type { JoinModel } from "../join-model.ts";

/** The link for another device of this person, once it was asked for. */
export function renderDeviceLink(model: JoinModel): TemplateResult | typeof nothing {
  const { deviceLink, siteName, isBusy } = model.state;
  if (deviceLink === "") return nothing;
  return html`<section class="card device" aria-label="Another device">
    <h2>Open this on your other device</h2>
    <p class="muted">
      It works once, within an hour. That device then is <strong>${siteName}</strong> too, with a key of its own: together your devices
      count as one participant. Whoever has the link can use it, so show it to nobody.
    </p>
    <p class="link"><code>${deviceLink}</code></p>
    <div class="actions">
      <button class="primary" ?disabled=${isBusy} @click=${() => model.copyDeviceLink()}>Copy link</button>
      <button class="secondary" @click=${() => model.putDeviceLinkAway()}>Put away</button>
    </div>
  </section>`;
}
