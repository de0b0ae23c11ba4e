import type { ListedCertificate } from "@photinus/core/message";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type AdministrationModel, keyOf } from "./administration-model.ts";
import { formatTime, type ReasonedOrder, renderReasoned } from "./entry-form.ts";

/** Certificates that the server issued, that are suspended, or whose holders are connected. */
export function renderCertificates(model: AdministrationModel): TemplateResult {
  return html`<div class="list">
    ${repeat(
      model.state.certificates,
      ({ leaf }) => keyOf(leaf),
      (certificate) => renderCertificate(model, certificate),
    )}
  </div>`;
}

function renderCertificate(model: AdministrationModel, certificate: ListedCertificate): TemplateResult {
  const { name, org, role, issuer, notAfterMs, isConnected, state, reason, untilMs } = certificate;
  const orders = ordersFor(model, certificate);
  return html`<article class="card entry">
    <h2>
      ${name} <span class="muted">${role} of ${org}</span>
      <span class="pill">${isConnected ? "connected" : "not connected"}</span>
      ${state === "valid" ? nothing : html`<span class="pill bad">${state}</span>`}
    </h2>
    <p class="muted">
      Issued by ${issuer === "root" ? "the root, in a kit" : "this server, by invite or approval"}.
      ${notAfterMs === 0 ? "" : `Valid until ${formatTime(notAfterMs)}.`}
      ${state === "suspended" ? `Suspended until ${formatTime(untilMs)}: ${reason}` : ""}
    </p>
    <p class="fingerprint">${keyOf(certificate.leaf)}</p>
    ${orders.length === 0 ? nothing : renderReasoned(orders, model.state.isBusy)}
  </article>`;
}

/** What the person may order about a certificate; the server decides all the same. */
function ordersFor(model: AdministrationModel, certificate: ListedCertificate): readonly ReasonedOrder[] {
  const { role, name } = model.person;
  const { state, issuer } = certificate;
  if (state === "revoked" || certificate.name === name) return [];
  const orders: ReasonedOrder[] = [];
  if (role === "project_admin") {
    const label = state === "suspended" ? "Resume" : "Suspend for 7 days";
    orders.push({ label, isFinal: false, order: (reason) => model.suspend(certificate, reason) });
  }
  if (issuer === "enrolment") {
    orders.push({
      label: "Revoke for good",
      isFinal: true,
      order: (reason) => model.revoke(certificate, reason),
    });
  }
  return orders;
}
