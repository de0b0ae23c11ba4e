import { describeError, isErrorCode, PhotinusError } from "@photinus/core/errors";
import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { renderBrand } from "../page/brand.ts";
import { pageStyles } from "../page/page-styles.css.ts";
import { asSentence } from "../page/sentence.ts";
import type { SignedInEvent } from "./administration/photinus-kit-sign-in.ts";
import type { SignedInPerson } from "./administration/sign-in-with-kit.ts";
import {
  type Credentials,
  dropCredentials,
  keepCredentials,
  parseFragment,
  takeCredentials,
} from "./credentials.ts";
import { type ListedJob, listJobs } from "./job-list.ts";
import { renderProvider, renderUser, signInStyles } from "./render-sign-in.ts";
import {
  readSignIn,
  refusalOf,
  type SignedInUser,
  type SignInState,
  signOut,
  stay,
} from "./sign-in-session.ts";

/** How often the list of jobs is read again. */
const REFRESH_MS = 10_000;

/** The server is told that the user is there at most this often, in ms. */
const STAY_MS = 60_000;
/** What shows that somebody is there. */
const ACTIVITY = ["pointerdown", "keydown"] as const;

/** `<photinus-dashboard>`: the page at `/`. */
export class PhotinusDashboard extends LitElement {
  static override properties: PropertyDeclarations = {
    credentials: { state: true },
    jobs: { state: true },
    signIn: { state: true },
    fault: { state: true },
    person: { state: true },
  };

  static override styles: CSSResultGroup = [
    pageStyles,
    signInStyles,
    css`
      .job {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 16px;
      }
      photinus-sites {
        --photinus-sites-height: 420px;
      }
      @media (min-width: 1000px) {
        .job {
          grid-template-columns: minmax(0, 5fr) minmax(0, 3fr);
        }
        photinus-job-status,
        photinus-round-timeline {
          grid-column: 1 / -1;
        }
      }
      .sign-in {
        display: grid;
        gap: 16px;
        max-width: 520px;
        margin: 8vh auto 0;
        padding: 32px;
      }
      .sign-in form {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }
      .sign-in label {
        flex-basis: 100%;
      }
      .sign-in input {
        flex: 1;
        min-width: 0;
        min-height: 42px;
      }
      .fault {
        color: var(--_refused);
      }
      details {
        padding-top: 16px;
        border-top: 1px solid var(--_line);
      }
      details > * + * {
        margin-top: 12px;
      }
      summary {
        cursor: pointer;
        font-weight: 500;
      }
    `,
  ];

  /** What opens the dashboard; `undefined` while nobody gave a token. */
  declare credentials: Credentials | undefined;
  /** Jobs that the token opens, newest last. */
  declare jobs: readonly ListedJob[];
  /** How people may sign in, and who has; `undefined` while that is not known. */
  declare signIn: SignInState | undefined;
  /** What went wrong last, with its remedy. */
  declare fault: { readonly message: string; readonly remedy: string } | undefined;

  /** Who is signed in with a kit; `undefined` for who watches by a token. */
  declare person: SignedInPerson | undefined;

  #abort: AbortController | undefined;
  #lastStayMs = 0;

  constructor() {
    super();
    this.credentials = undefined;
    this.jobs = [];
    this.signIn = undefined;
    this.fault = undefined;
    this.person = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#take();
    window.addEventListener("hashchange", this.#take);
    for (const event of ACTIVITY) window.addEventListener(event, this.#onActivity);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("hashchange", this.#take);
    for (const event of ACTIVITY) window.removeEventListener(event, this.#onActivity);
    this.#abort?.abort();
  }

  protected override render(): TemplateResult {
    return html`<div class="frame">
      <header class="top">
        ${renderBrand()} ${this.person === undefined ? this.#renderJobChoice() : this.#renderPerson(this.person)}
      </header>
      ${this.#renderContent()}
    </div>`;
  }

  #renderContent(): TemplateResult {
    if (this.person !== undefined) {
      return html`<main>
        <h1 class="sr">Administration</h1>
        <photinus-administration .person=${this.person}></photinus-administration>
      </main>`;
    }
    return this.credentials === undefined ? this.#renderSignIn() : this.#renderJob(this.credentials);
  }

  #renderPerson({ name, org, role }: SignedInPerson): TemplateResult {
    return html`<span class="push">${name} <span class="muted">${role.replace("_", " ")}, ${org}</span></span>
      <button @click=${this.#leave}>Sign out</button>`;
  }

  readonly #leave = (): void => {
    const { person } = this;
    this.person = undefined;
    void person?.federation.close();
  };

  readonly #onSignedIn = ({ person }: SignedInEvent): void => {
    this.person = person;
    void person.federation.ended.then(({ code, detail }) => {
      if (this.person !== person) return;
      this.person = undefined;
      this.fault = {
        message: detail === "" ? code : detail,
        remedy: isErrorCode(code) ? describeError(code).remedy : "",
      };
    });
  };

  #renderJobChoice(): TemplateResult | typeof nothing {
    if (this.credentials === undefined) return nothing;
    return html`
      ${
        this.jobs.length < 2
          ? nothing
          : html`<select class="push" aria-label="Job" @change=${this.#choose}>
              ${this.jobs.toReversed().map(
                ({
                  jobId,
                  name,
                  submittedAtMs,
                }) => html`<option value=${jobId} ?selected=${jobId === this.#jobId()}>
                  ${name}, ${formatTime(submittedAtMs)}
                </option>`,
              )}
            </select>`
      }
      ${this.#renderUser()}
    `;
  }

  #renderUser(): TemplateResult {
    const push = this.jobs.length < 2 ? "push" : "";
    const user = this.#user();
    if (user === undefined) return html`<button class=${push} @click=${this.#signOut}>Forget token</button>`;
    return html`
      ${renderUser(user, push)}
      <button @click=${this.#signOut}>Sign out</button>
    `;
  }

  #renderSignIn(): TemplateResult {
    return html`<main>
      <section class="card sign-in">
        <h1>Open a federation</h1>
        ${renderProvider(this.signIn?.issuer)}
        <p class="muted">
          The server prints a link to this page when it starts. Open that link, or paste the read-only token.
        </p>
        <form @submit=${this.#signIn}>
          <label for="token">Read-only token</label>
          <input id="token" name="token" type="password" autocomplete="off" maxlength="128" required />
          <button class=${this.signIn?.issuer === undefined ? "primary" : "secondary"}>Open</button>
        </form>
        ${this.#renderFault()}
        <details>
          <summary>Sign in as an administrator</summary>
          <p class="muted">Your key stays in this page: it is not stored, and no script can copy it.</p>
          <photinus-kit-sign-in @photinus-signed-in=${this.#onSignedIn}></photinus-kit-sign-in>
        </details>
      </section>
    </main>`;
  }

  #renderFault(): TemplateResult | typeof nothing {
    if (this.fault === undefined) return nothing;
    return html`<p role="alert"><span class="fault">${asSentence(this.fault.message)}</span> ${this.fault.remedy}</p>`;
  }

  #renderJob({ token }: Credentials): TemplateResult {
    const job = this.#jobId();
    const listed = this.jobs.find(({ jobId }) => jobId === job);
    return html`
      ${this.#renderFault()}
      <photinus-feed .job=${job} .token=${token}>
        <main class="job">
          <h1 class="sr">Federation</h1>
          <photinus-job-status></photinus-job-status>
          ${job === "" ? nothing : renderCourse()}
        </main>
      </photinus-feed>
      ${renderFoot(job, listed)}
    `;
  }

  /** The chosen job, else the newest that the token opens. */
  #jobId(): string {
    return (this.credentials?.job || this.jobs.at(-1)?.jobId) ?? "";
  }

  /** Who is signed in at the server; a token of the tab goes before. */
  #user(): SignedInUser | undefined {
    return this.credentials?.token === "" ? this.signIn?.user : undefined;
  }

  readonly #take = (): void => {
    const refusal = refusalOf(location.hash);
    this.#use(takeCredentials(location, history, sessionStorage));
    this.fault = refusal;
    if (this.#abort !== undefined) void this.#readSignIn(this.#abort.signal);
  };

  /** A server that does not say how to sign in is one without a provider: a token still opens it. */
  async #readSignIn(signal: AbortSignal): Promise<void> {
    const state = await readSignIn(signal).catch(() => undefined);
    if (signal.aborted || state === undefined) return;
    this.signIn = state;
    if (state.user === undefined || this.credentials !== undefined) return;
    const { fault } = this;
    this.#use({ token: "", job: "" });
    this.fault = fault;
  }

  readonly #onActivity = (): void => {
    const nowMs = performance.now();
    if (this.#user() === undefined || nowMs - this.#lastStayMs < STAY_MS) return;
    this.#lastStayMs = nowMs;
    stay().catch((error: unknown) => this.#onFault(error));
  };

  readonly #signIn = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const token = String(new FormData(form).get("token")).trim();
    const credentials = parseFragment(new URLSearchParams({ token }).toString());
    if (credentials === undefined) {
      this.fault = { message: "This is not a token", remedy: "It has letters, digits, - and _ only." };
      return;
    }
    keepCredentials(credentials, sessionStorage);
    this.#use(credentials);
  };

  readonly #signOut = (): void => {
    if (this.#user() === undefined) {
      this.#forget();
      return;
    }
    // Only when the server says so: who sees a signed-out page leaves the machine to the next one.
    signOut()
      .then(() => this.#forget())
      .catch((error: unknown) => this.#onFault(error));
  };

  #forget(): void {
    dropCredentials(sessionStorage);
    if (this.signIn !== undefined) this.signIn = { ...this.signIn, user: undefined };
    this.#use(undefined);
  }

  readonly #choose = ({ target }: Event): void => {
    if (!(target instanceof HTMLSelectElement) || this.credentials === undefined) return;
    this.credentials = { ...this.credentials, job: target.value };
    if (this.credentials.token !== "") keepCredentials(this.credentials, sessionStorage);
  };

  #use(credentials: Credentials | undefined): void {
    this.#abort?.abort();
    this.#abort = new AbortController();
    this.credentials = credentials;
    this.fault = undefined;
    this.jobs = [];
    if (credentials !== undefined) void this.#refresh(credentials.token, this.#abort.signal);
  }

  async #refresh(token: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.jobs = await listJobs(token, signal);
        this.fault = undefined;
      } catch (error) {
        if (signal.aborted) return;
        this.#onFault(error);
      }
      await new Promise((resolve) => setTimeout(resolve, this.jobs.length === 0 ? 1_000 : REFRESH_MS));
    }
  }

  #onFault(error: unknown): void {
    const code = error instanceof PhotinusError ? error.code : "";
    if (code === "ERR_READ_TOKEN_REFUSED" || code === "ERR_SIGN_IN_EXPIRED") this.#forget();
    this.fault = {
      message: error instanceof Error ? error.message : "the server does not answer",
      remedy: isErrorCode(code) ? describeError(code).remedy : "",
    };
  }
}

/** What there is to see of a job beside its status. */
function renderCourse(): TemplateResult {
  return html`
    <photinus-round-chart></photinus-round-chart>
    <photinus-sites></photinus-sites>
    <photinus-round-timeline></photinus-round-timeline>
  `;
}

function formatTime(timeMs: number): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }).format(timeMs);
}

function renderFoot(job: string, listed: ListedJob | undefined): TemplateResult {
  return html`<footer class="foot">
    ${job === "" ? nothing : html`<span>Job <code>${job}</code></span>`}
    ${
      listed === undefined
        ? nothing
        : html`<span>submitted by ${listed.submitter}, ${formatTime(listed.submittedAtMs)}</span>`
    }
    <span class="push">Every login, task, result and round is in the audit chain: <code>photinus audit verify</code></span>
  </footer>`;
}
