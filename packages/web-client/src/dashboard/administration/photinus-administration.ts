import {
  type CSSResultGroup,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { remedyOf } from "../../join/steps/fault.ts";
import { pageStyles } from "../../page/page-styles.css.ts";
import { asSentence } from "../../page/sentence.ts";
import { AdministrationModel } from "./administration-model.ts";
import { administrationStyles } from "./administration-styles.css.ts";
import { renderApprovals } from "./approvals.ts";
import { renderCertificates } from "./certificates.ts";
import { renderInvites } from "./invites.ts";
import type { SignedInPerson } from "./sign-in-with-kit.ts";

const TABS = ["approvals", "certificates", "invites"] as const;
type Tab = (typeof TABS)[number];

const TITLES: Readonly<Record<Tab, string>> = {
  approvals: "Approvals",
  certificates: "Certificates",
  invites: "Invites",
};

/** `<photinus-administration>`: what an administrator who is signed in sees and orders. */
export class PhotinusAdministration extends LitElement {
  static override properties: PropertyDeclarations = {
    person: { attribute: false },
    tab: { state: true },
  };

  static override styles: CSSResultGroup = [pageStyles, administrationStyles];

  /** Who is signed in. */
  declare person: SignedInPerson | undefined;
  /** The tab that is shown. */
  declare tab: Tab;

  #model: AdministrationModel | undefined;

  constructor() {
    super();
    this.person = undefined;
    this.tab = "approvals";
  }

  protected override willUpdate(): void {
    if (this.person === undefined || this.#model?.person === this.person) return;
    this.#model?.hostDisconnected();
    this.#model = new AdministrationModel(this, this.person);
  }

  protected override render(): TemplateResult | typeof nothing {
    const model = this.#model;
    if (model === undefined) return nothing;
    const { fault, news } = model.state;
    return html`
      <nav role="tablist" aria-label="Administration" @keydown=${this.#onKey}>
        ${TABS.map((tab) => this.#renderTab(tab, model))}
      </nav>
      ${
        fault === undefined
          ? nothing
          : html`<p class="fault" role="alert">
              ${asSentence(fault.message)} ${remedyOf(fault.code)} <code>${fault.code}</code>
            </p>`
      }
      <p class="news" role="status">${news === "" ? "" : asSentence(news)}</p>
      <div id="panel" role="tabpanel" aria-labelledby=${`tab-${this.tab}`}>${renderPanel(this.tab, model)}</div>
    `;
  }

  #renderTab(tab: Tab, { state }: AdministrationModel): TemplateResult {
    const waiting = state.requests.filter((request) => request.state === "pending").length;
    const isChosen = tab === this.tab;
    return html`<button
      id=${`tab-${tab}`}
      role="tab"
      aria-selected=${isChosen ? "true" : "false"}
      aria-controls="panel"
      tabindex=${isChosen ? 0 : -1}
      @click=${() => this.#choose(tab)}
    >
      ${TITLES[tab]}${tab === "approvals" && waiting > 0 ? ` (${waiting})` : ""}
    </button>`;
  }

  #choose(tab: Tab): void {
    this.tab = tab;
  }

  readonly #onKey = ({ key }: KeyboardEvent): void => {
    const step = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const next = TABS[(TABS.indexOf(this.tab) + step + TABS.length) % TABS.length];
    if (next === undefined) return;
    this.#choose(next);
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${next}`)?.focus());
  };
}

function renderPanel(tab: Tab, model: AdministrationModel): TemplateResult {
  switch (tab) {
    case "approvals":
      return renderApprovals(model);
    case "certificates":
      return renderCertificates(model);
    case "invites":
      return renderInvites(model);
  }
}
