import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link FilterError}. */
export type FilterErrorCode = "ERR_FILTER_REFUSED" | "ERR_PRIVACY_BUDGET" | "ERR_PRIVACY_POLICY_INVALID";

/** What the codes mean, of filters, scopes and budgets. */
export const FILTER_ERRORS: Readonly<Record<FilterErrorCode, ErrorHandling>> = {
  ERR_FILTER_REFUSED: { wire: 4110, action: "reject" },
  ERR_PRIVACY_BUDGET: { wire: 4111, action: "reject" },
  ERR_PRIVACY_POLICY_INVALID: { action: "stop" },
};

/** What a person does about them. */
export const FILTER_REMEDIES: Readonly<Record<FilterErrorCode, string>> = {
  ERR_FILTER_REFUSED:
    "Compare the filters of the job and of the site's scope with the model: the named one met data that it does not fit.",
  ERR_PRIVACY_BUDGET:
    "Submit fewer rounds or a larger noiseMultiplier, or agree with the site on a budget that allows this job.",
  ERR_PRIVACY_POLICY_INVALID:
    "Correct privacy.json at the named place; until then new jobs are refused. Try it by `photinus policy check`.",
};

/** A fault of filters, scopes and budgets. */
export class FilterError extends PhotinusError<FilterErrorCode> {}
