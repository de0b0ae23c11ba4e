import { type CSSResultGroup, html, LitElement, type PropertyDeclarations, type TemplateResult } from "lit";
import { renderBrand } from "../page/brand.ts";
import { joinStyles } from "./join-styles.css.ts";
import { fetchToken, SignInRefusal, tellSignedIn } from "./sign-in-channel.ts";
import { remedyOf } from "./steps/fault.ts";

/** `<photinus-signed-in>`: the tab in which somebody comes back from the provider; it tells the page that waits. */
export class PhotinusSignedIn extends LitElement {
  static override properties: PropertyDeclarations = { outcome: { state: true } };

  static override styles: CSSResultGroup = joinStyles;

  /** What came of it: "" while that is asked, "done", or a code. */
  declare outcome: string;

  constructor() {
    super();
    this.outcome = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#finish();
  }

  protected override render(): TemplateResult {
    return html`<div class="frame">
      <header class="top">${renderBrand()}</header>
      <main><div class="sheet">${this.#renderOutcome()}</div></main>
    </div>`;
  }

  #renderOutcome(): TemplateResult {
    const { outcome } = this;
    if (outcome === "") return html`<section class="card" role="status"><h1>Signing in</h1></section>`;
    if (outcome === "done") {
      return html`<section class="card" role="status">
        <h1>You are signed in</h1>
        <p class="lead">Close this tab and go on in the one that you came from.</p>
      </section>`;
    }
    return html`<section class="card" role="alert">
      <h1>You are not signed in</h1>
      <p class="lead">${remedyOf(outcome)}</p>
      <p><code>${outcome}</code></p>
    </section>`;
  }

  async #finish(): Promise<void> {
    const { search, pathname } = location;
    // The code is good once, but nobody needs to see it or find it in the history.
    history.replaceState(undefined, "", pathname);
    try {
      tellSignedIn(await fetchToken(search));
      this.outcome = "done";
      window.close(); // where the browser lets it
    } catch (error) {
      this.outcome = error instanceof SignInRefusal ? error.code : "ERR_CONNECTION_REFUSED";
    }
  }
}
