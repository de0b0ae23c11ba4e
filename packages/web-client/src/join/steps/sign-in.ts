import { html, nothing, type TemplateResult } from "lit";
import type { JoinModel } from "../join-model.ts";

/** The page by itself tries them again after minutes only. */
const RETRIED_BY_PEOPLE: ReadonlySet<string> = new Set(["ERR_CREDENTIAL_REFUSED", "ERR_CREDENTIAL_REQUIRED"]);

/** The way to the organization's provider, while the server waits for it; else what to do when it was refused. */
export function renderSignIn(model: JoinModel): TemplateResult | typeof nothing {
  const { signIn, status, isBusy } = model.state;
  if (signIn !== undefined) {
    return html`<div class="sign-in" role="group" aria-label="Sign in">
      <p>
        This project wants to know who takes part. You sign in at <strong>${hostOf(signIn.issuer)}</strong>, in a tab of its own;
        what comes back proves it for this browser and this connection only.
      </p>
      <a class="primary" href=${signIn.address} target="_blank" rel="noopener">Sign in with ${hostOf(signIn.issuer)}</a>
    </div>`;
  }
  if (!RETRIED_BY_PEOPLE.has(status?.fault?.code ?? "")) return nothing;
  return html`<div class="sign-in">
    <button class="primary" ?disabled=${isBusy} @click=${() => model.retry()}>Sign in again</button>
  </div>`;
}

const hostOf = (issuer: string): string =>
  URL.canParse(issuer) ? new URL(issuer).host : "your organization";
