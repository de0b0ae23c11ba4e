import { html, type TemplateResult } from "lit";

/** The name with its light: links to the dashboard. */
export function renderBrand(): TemplateResult {
  return html`<a class="brand" href="/" aria-label="Photinus">
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="11" opacity=".16" />
      <circle cx="12" cy="12" r="7.5" opacity=".3" />
      <circle cx="12" cy="12" r="4" />
    </svg>
    Photinus
  </a>`;
}
