import type { ListedInvite } from "@photinus/core/message";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { type AdministrationModel, keyOf } from "./administration-model.ts";
import { formatTime, renderReasoned, textOf } from "./entry-form.ts";

const HOUR_MS = 3_600_000;

/** Invites that are open or have ended lately, and a form for a new one. */
export function renderInvites(model: AdministrationModel): TemplateResult {
  const { invites, link } = model.state;
  return html`<div class="list">
    ${renderNew(model)}
    ${
      link === ""
        ? nothing
        : html`<section class="card entry" aria-label="Link of the new invite">
            <p class="muted">Shown once. Hand it over by a way that only the right person reads.</p>
            <p class="link">${link}</p>
            <div class="actions">
              <button class="secondary" @click=${() => navigator.clipboard.writeText(link)}>Copy link</button>
            </div>
          </section>`
    }
    ${repeat(
      invites,
      ({ codeDigest }) => keyOf(codeDigest),
      (invite) => renderInvite(model, invite),
    )}
  </div>`;
}

function renderNew(model: AdministrationModel): TemplateResult {
  const { org, role } = model.person;
  const make = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const fields = new FormData(event.target);
    const expiresAtMs = Date.now() + Number(textOf(fields, "hours")) * HOUR_MS;
    const name = textOf(fields, "name");
    const common = { org: textOf(fields, "org"), expiresAtMs };
    const whom =
      name === "" ? { prefix: textOf(fields, "prefix"), uses: Number(textOf(fields, "uses")) } : { name };
    void model.invite({ ...common, ...whom });
  };
  return html`<section class="card entry">
    <h2>Invite pages and sites</h2>
    <form @submit=${make}>
      <label>
        Organization
        <input name="org" type="text" .value=${org} ?readonly=${role === "org_admin"} maxlength="63" required />
      </label>
      <label>
        Names begin with
        <input name="prefix" type="text" value="guest" maxlength="48" required />
      </label>
      <label>
        How many may join
        <input name="uses" type="text" inputmode="numeric" pattern="[1-9][0-9]{0,3}|10000" value="1" required />
      </label>
      <label>
        For how many hours
        <input name="hours" type="text" inputmode="numeric" pattern="[1-9][0-9]{0,3}" value="24" required />
      </label>
      <label>
        Or one name, for a further device
        <input name="name" type="text" maxlength="63" />
      </label>
      <div class="actions"><button class="primary" ?disabled=${model.state.isBusy}>Make link</button></div>
    </form>
  </section>`;
}

function renderInvite(model: AdministrationModel, invite: ListedInvite): TemplateResult {
  const { org, names, isOneName, uses, used, expiresAtMs, by, isWithdrawn } = invite;
  const hasEnded = isWithdrawn || expiresAtMs <= Date.now();
  const state = isWithdrawn ? "withdrawn" : hasEnded ? "expired" : "open";
  return html`<article class="card entry">
    <h2>
      ${isOneName ? names : `${names}-…`} <span class="muted">of ${org}</span>
      <span class="pill">${state}</span>
    </h2>
    <p class="muted">${used} of ${uses} used, until ${formatTime(expiresAtMs)}, made by ${by}.</p>
    ${
      hasEnded
        ? nothing
        : renderReasoned(
            [{ label: "Withdraw", isFinal: true, order: (reason) => model.withdraw(invite, reason) }],
            model.state.isBusy,
          )
    }
  </article>`;
}
