import { html, type TemplateResult } from "lit";

/** A moment, for people. */
export function formatTime(timeMs: number): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }).format(timeMs);
}

/** A field of a form as text without spaces around it. */
export function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** An order that needs a reason. */
export interface ReasonedOrder {
  /** What the button says. */
  readonly label: string;
  /** True when it cannot be undone. */
  readonly isFinal: boolean;
  readonly order: (reason: string) => Promise<void>;
}

/** A reason, and the orders that it may be for. */
export function renderReasoned(orders: readonly ReasonedOrder[], isBusy: boolean): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const { target: form, submitter } = event;
    if (!(form instanceof HTMLFormElement)) return;
    const chosen = orders.find(({ label }) => label === submitter?.getAttribute("value"));
    void chosen?.order(textOf(new FormData(form), "reason"));
    form.reset();
  };
  return html`<form @submit=${submit}>
    <label class="wide">
      Reason
      <input name="reason" type="text" maxlength="200" required autocomplete="off" />
    </label>
    <div class="actions">
      ${orders.map(
        ({
          label,
          isFinal,
        }) => html`<button class=${isFinal ? "danger" : "secondary"} value=${label} ?disabled=${isBusy}>
          ${label}
        </button>`,
      )}
    </div>
  </form>`;
}
