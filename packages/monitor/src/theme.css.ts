import { type CSSResult, css } from "lit";

/**
 * Colours, type and spacing of every element. Each token can be set from outside as `--photinus-<name>`; the
 * defaults follow the `color-scheme` of the page. Hues stay apart for every kind of colour vision, and no state is
 * told by colour alone.
 */
export const theme: CSSResult = css`
  :host {
    --_text: var(--photinus-text, light-dark(#1a1c20, #ecedef));
    --_muted: var(--photinus-muted, light-dark(#5c626b, #9aa1ab));
    --_line: var(--photinus-line, light-dark(#e4e4df, #2a2e33));
    --_strong: var(--photinus-strong-line, light-dark(#8b9098, #69707a));
    --_surface: var(--photinus-surface, light-dark(#ffffff, #16181b));
    --_sunken: var(--photinus-sunken, light-dark(#f4f4f0, #1d2024));
    --_glow: var(--photinus-glow, light-dark(#5f7f00, #cde84a));
    --_accuracy: var(--photinus-accuracy, light-dark(#0065a9, #63b7f7));
    --_loss: var(--photinus-loss, light-dark(#b3500a, #f3a25f));
    --_late: var(--photinus-late, light-dark(#8a5a00, #e6b450));
    --_refused: var(--photinus-refused, light-dark(#b4232a, #ff8f85));
    --_font: var(
      --photinus-font,
      ui-sans-serif,
      -apple-system,
      "Segoe UI",
      Inter,
      Roboto,
      "Noto Sans",
      "DejaVu Sans Condensed",
      sans-serif
    );
    --_mono: var(--photinus-mono, ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace);
    --_radius: var(--photinus-radius, 12px);
    --_padding: var(--photinus-padding, 20px);
    display: block;
    min-width: 0;
    container-type: inline-size;
    color: var(--_text);
    font: 400 14px/1.45 var(--_font);
    font-variant-numeric: tabular-nums;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  .card {
    padding: var(--_padding);
    overflow: hidden;
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    background: var(--_surface);
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 4px 16px;
    margin-bottom: 16px;
  }
  h2,
  h3,
  p,
  ul,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  h2 {
    font-size: 15px;
    font-weight: 600;
    letter-spacing: -0.006em;
  }
  h3 {
    font-size: 13px;
    font-weight: 600;
  }
  ul {
    list-style: none;
  }
  .push {
    margin-left: auto;
  }
  .muted,
  small {
    color: var(--_muted);
    font-size: 12.5px;
  }
  code {
    font: 12px/1.4 var(--_mono);
    overflow-wrap: anywhere;
  }
  .sr {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button {
    padding: 3px 10px;
    border: 1px solid var(--_line);
    border-radius: 7px;
    background: none;
    color: var(--_muted);
    font: inherit;
    font-size: 12.5px;
    cursor: pointer;
  }
  button:hover {
    border-color: var(--_strong);
    color: var(--_text);
  }
  :focus-visible {
    outline: 2px solid var(--_accuracy);
    outline-offset: 2px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 13px;
  }
  th {
    color: var(--_muted);
    font-weight: 400;
    text-align: right;
  }
  td {
    text-align: right;
  }
  .scroll {
    /* Contains what is hidden for the eye, which would otherwise widen the page. */
    position: relative;
    overflow: auto;
  }
  .glyph {
    flex: none;
    width: 12px;
    height: 12px;
    overflow: visible;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    color: var(--_strong);
  }
  .glyph .full {
    fill: currentColor;
  }
  .glyph .halo {
    stroke: none;
    fill: currentColor;
    opacity: 0.25;
  }
  .glyph.done,
  .glyph.active {
    color: var(--_glow);
  }
  .glyph.late {
    color: var(--_late);
  }
  .glyph.refused,
  .glyph.missing {
    color: var(--_refused);
    stroke-width: 2;
  }
  .state {
    display: flex;
    align-items: center;
    gap: 10px;
    min-height: 96px;
    color: var(--_muted);
  }
  .state p {
    max-width: 60ch;
  }
  .state strong {
    display: block;
    color: var(--_text);
    font-weight: 600;
  }
  @media (prefers-reduced-motion: no-preference) {
    .glyph.active .halo {
      animation: breathe 2.2s ease-in-out infinite;
      transform-origin: center;
    }
    @keyframes breathe {
      50% {
        opacity: 0.05;
        transform: scale(1.5);
      }
    }
  }
  @media (forced-colors: active) {
    .card {
      border-color: CanvasText;
    }
  }
`;
