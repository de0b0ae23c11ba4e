import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import type { Tone } from "./phase.ts";

/** One shape per tone, so that no state is told by colour alone. */
const SHAPES: Readonly<Record<Tone, SVGTemplateResult>> = {
  done: svg`<circle class="full" cx="6" cy="6" r="4"/>`,
  active: svg`<circle class="halo" cx="6" cy="6" r="6"/><circle class="full" cx="6" cy="6" r="2.5"/>`,
  waiting: svg`<circle cx="6" cy="6" r="3.5"/>`,
  late: svg`<circle cx="6" cy="6" r="4"/><path class="full" d="M6 2a4 4 0 0 1 0 8z"/>`,
  refused: svg`<path d="m2.5 2.5 7 7m0-7-7 7"/>`,
  missing: svg`<path d="M2 6h8"/>`,
  planned: svg`<circle class="full" cx="6" cy="6" r="1"/>`,
  gone: svg`<circle cx="6" cy="6" r="3.5" stroke-dasharray="1.5 2.2"/>`,
};

/** The shape of a tone; for the eye only, text says the same. */
export function glyph(tone: Tone): TemplateResult {
  return html`<svg class="glyph ${tone}" part="glyph ${tone}" viewBox="0 0 12 12" aria-hidden="true">${SHAPES[tone]}</svg>`;
}
