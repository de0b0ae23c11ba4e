import type { ListedRequest } from "@photinus/core/message";
import { formatFingerprint } from "@photinus/core/provision";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type AdministrationModel, keyOf } from "./administration-model.ts";
import { formatTime, textOf } from "./entry-form.ts";

/** Requests for certificates, to be approved or denied after their fingerprints were compared. */
export function renderApprovals(model: AdministrationModel): TemplateResult {
  const { requests } = model.state;
  if (requests.length === 0) {
    return html`<p class="muted">Nobody waits. Who runs <code>photinus cert request</code> appears here.</p>`;
  }
  return html`<div class="list">
    ${repeat(
      requests,
      ({ keyDigest }) => keyOf(keyDigest),
      (request) => renderRequest(model, request),
    )}
  </div>`;
}

function renderRequest(model: AdministrationModel, request: ListedRequest): TemplateResult {
  const { keyDigest, name, org, requestedAtMs, from, state, approvedBy, approvalsNeeded } = request;
  const fingerprint = formatFingerprint(keyDigest);
  return html`<article class="card entry">
    <h2>
      ${name === "" ? "A site without a usable name" : name}
      <span class="muted">site of ${org === "" ? "an unnamed organization" : org}</span>
      <span class="pill ${state === "denied" ? "bad" : ""}">${state}</span>
    </h2>
    <p class="muted">
      Asked on ${formatTime(requestedAtMs)} from ${from}.
      ${approvalsNeeded > 1 ? `Approved by ${approvedBy.length} of ${approvalsNeeded}: ${approvedBy.join(", ")}` : ""}
    </p>
    <div>
      <p class="muted">Fingerprint of the key. Compare it with what the requester reads out:</p>
      <p class="fingerprint">${fingerprint}</p>
    </div>
    ${state === "pending" ? renderDecision(model, request) : nothing}
  </article>`;
}

function renderDecision(model: AdministrationModel, request: ListedRequest): TemplateResult {
  const decide = (event: SubmitEvent): void => {
    event.preventDefault();
    const { target: form, submitter } = event;
    if (!(form instanceof HTMLFormElement)) return;
    const verdict = submitter?.getAttribute("value") === "deny" ? "deny" : "approve";
    const fields = new FormData(form);
    const decision = { verdict, name: textOf(fields, "name"), org: textOf(fields, "org") } as const;
    void model.decide(request, { ...decision, reason: textOf(fields, "reason") });
  };
  return html`<form @submit=${decide}>
    <label>
      Name
      <input name="name" type="text" .value=${request.name} maxlength="63" required autocomplete="off" />
    </label>
    <label>
      Organization
      <input name="org" type="text" .value=${request.org} maxlength="63" required autocomplete="off" />
    </label>
    <label>
      Reason
      <input name="reason" type="text" maxlength="200" required placeholder="compared by phone" />
    </label>
    <div class="actions">
      <button class="primary" value="approve" ?disabled=${model.state.isBusy}>Approve</button>
      <button class="danger" value="deny" ?disabled=${model.state.isBusy}>Deny</button>
    </div>
  </form>`;
}
