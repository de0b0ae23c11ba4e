import { describeError, isErrorCode } from "@photinus/core/errors";
import { html, nothing, type TemplateResult } from "lit";
import { asSentence } from "../../page/sentence.ts";
import type { JoinFault } from "../join-state.ts";

/** What a person does about a code. */
export function remedyOf(code: string): string {
  return isErrorCode(code) ? describeError(code).remedy : "Reload the page.";
}

/** What went wrong, with code and remedy; nothing when all is well. */
export function renderFault(fault: JoinFault | undefined): TemplateResult | typeof nothing {
  if (fault === undefined) return nothing;
  return html`<div class="fault" role="alert">
    <p>${asSentence(fault.message)} <br />${remedyOf(fault.code)} <code>${fault.code}</code></p>
  </div>`;
}
